"""Rows 107 to 114, model files and checkpoints: what was saved comes back to the bit, or an error says why not."""

from bad_input.row import row

ROWS = [
    row(
        107,
        "a file cut, flipped or filled with zeros",
        elsewhere=(
            "test_hostile_files.py::test_every_truncation_is_refused",
            "test_hostile_files.py::test_every_flipped_bit_of_the_header_and_random_ones_of_the_data_are_refused",
            "test_checkpoints.py::test_cut_short_at_every_byte_it_is_refused",
            "test_checkpoints.py::test_ten_thousand_flipped_bits_are_refused",
            "test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",
        ),
    ),
    row(
        108,
        "another network's file",
        elsewhere=(
            "test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",
            "test_checkpoints.py::test_another_training_is_told_apart_and_left_as_it_was",
        ),
    ),
    row(
        109,
        "an older format, or a newer one",
        elsewhere=(
            "test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",
            "test_files.py::test_the_golden_file_loads_for_ever",
            "test_checkpoints.py::test_the_checkpoint_of_the_first_release_loads_for_ever",
        ),
    ),
    row(
        110,
        "a pickle or another library's file",
        elsewhere=(
            "test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",
            "test_hostile_files.py::test_hostile_files_make_no_import_open_nothing_and_unpickle_nothing",
        ),
    ),
    row(
        111,
        "a class that the file would like to have imported",
        elsewhere=(
            "test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",
            "test_hostile_files.py::test_hostile_files_make_no_import_open_nothing_and_unpickle_nothing",
        ),
    ),
    row(
        112,
        "names that are paths, or a megabyte long",
        elsewhere=("test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",),
    ),
    row(
        113,
        "a header that lies about sizes, or never ends",
        elsewhere=("test_hostile_files.py::test_what_is_not_a_model_is_refused_by_name_and_cheaply",),
    ),
    row(
        114,
        "going on with other data or another batch size",
        elsewhere=(
            "test_checkpoints.py::test_other_data_are_refused_unless_forced",
            "test_checkpoints.py::test_another_training_is_told_apart_and_left_as_it_was",
        ),
    ),
]
