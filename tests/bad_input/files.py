"""Rows 91 to 106, data files: what is damaged, cut short, swapped or hostile is named before memory is taken for it."""

from bad_input.row import row

ROWS = [
    row(
        91,
        "a gzip file cut short",
        elsewhere=(
            "datasets/test_idx.py::test_a_bad_file_is_named",
            "datasets/test_idx.py::test_a_file_cut_anywhere_is_refused",
        ),
    ),
    row(
        92,
        "a wrong checksum, and something behind the data",
        elsewhere=("datasets/test_idx.py::test_a_bad_file_is_named",),
    ),
    row(
        93,
        "unpacked files that are still called .gz",
        elsewhere=("datasets/test_idx.py::test_reads_every_type_by_content_not_by_name",),
    ),
    row(
        94,
        "a web page in place of a file",
        elsewhere=("datasets/test_idx.py::test_a_bad_file_is_named",),
    ),
    row(
        95,
        "all types of IDX, and unknown ones",
        elsewhere=(
            "datasets/test_idx.py::test_reads_every_type_by_content_not_by_name",
            "datasets/test_idx.py::test_a_bad_file_is_named",
        ),
    ),
    row(
        96,
        "labels in place of images",
        elsewhere=("datasets/test_idx.py::test_another_kind_of_file_is_named",),
    ),
    row(
        97,
        "a header that promises more than there is",
        elsewhere=("datasets/test_idx.py::test_a_bad_file_is_named",),
    ),
    row(
        98,
        "a header that promises more than any memory",
        elsewhere=(
            "datasets/test_idx.py::test_a_bad_file_is_named",
            "datasets/test_idx.py::test_a_bomb_costs_no_memory",
        ),
    ),
    row(
        99,
        "a file that unpacks to a thousand times its size",
        elsewhere=("datasets/test_idx.py::test_a_bomb_costs_no_memory",),
    ),
    row(
        100,
        "an empty file, and one of no images",
        elsewhere=("datasets/test_idx.py::test_a_bad_file_is_named",),
    ),
    row(
        101,
        "images of another shape",
        elsewhere=("datasets/test_mnist.py::test_the_shape_follows_the_header",),
    ),
    row(
        102,
        "images and labels that do not belong together",
        elsewhere=("datasets/test_mnist.py::test_files_that_do_not_belong_together_are_named",),
    ),
    row(
        103,
        "a download that breaks off",
        elsewhere=(
            "datasets/test_fashion_mnist.py::test_the_next_mirror_is_asked_and_goes_on_with_what_is_there",
            "datasets/test_fashion_mnist.py::test_a_process_that_was_ended_leaves_a_part_to_go_on_with",
        ),
    ),
    row(
        104,
        "tables with headers, gaps and other separators",
        because="nothing here reads CSV; its path in place of x is refused with advice",
    ),
    row(
        105,
        "a .npy or .npz file that lies",
        because="nothing here opens one: test_surroundings.py. cr.load names it: test_hostile_files.py",
    ),
    row(
        106,
        "an archive with paths to elsewhere",
        because="nothing here opens one: test_surroundings.py",
    ),
]
