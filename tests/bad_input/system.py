"""Rows 115 to 125, the system around: disks that are full, processes that die, terminals that are none."""

import chainrule as cr
from bad_input.row import refused, row

ROWS = [
    row(
        115,
        "a full disk",
        elsewhere=(
            "test_atomic_write.py::test_a_full_disk_leaves_the_old_file_and_nothing_else",
            "test_crashes.py::test_a_fault_at_every_call_leaves_the_old_file_or_the_new_one",
            "test_checkpoint_callback.py::test_a_full_disk_warns_and_training_goes_on",
        ),
    ),
    row(
        116,
        "a path that cannot be written",
        refused("cr.save(net(), folder / ('x' * 300))", cr.CheckpointError, "cannot be written"),
        refused("cr.save(net(), None)", cr.ConfigurationError, "the path of a file", "None"),
        refused("cr.load(5)", cr.ConfigurationError, "the path of a file", "received 5"),
        elsewhere=(
            "test_atomic_write.py::test_where_nothing_can_be_written",
            "test_atomic_write.py::test_without_permission",
            "test_checkpoint_callback.py::test_a_folder_that_cannot_be_written_is_an_error_before_training",
        ),
    ),
    row(
        117,
        "two writers of one file",
        elsewhere=("test_surroundings.py::test_of_many_writers_one_wins_whole",),
    ),
    row(
        118,
        "death in the middle of saving",
        elsewhere=("test_crashes.py::test_sixty_kills_lose_no_checkpoint_and_a_naive_writer_loses_some",),
    ),
    row(
        119,
        "what dead processes leave",
        elsewhere=("test_crashes.py::test_only_what_dead_processes_left_is_removed",),
    ),
    row(
        120,
        "an output that is closed, narrow, or no terminal",
        elsewhere=(
            "test_cli.py::test_nobody_reading_does_not_stop_the_run",
            "test_cli.py::test_a_terminal_has_a_line_that_moves_and_goes",
            "test_cli.py::test_plain_ascii_off_the_terminal",
            "test_cli.py::test_help_fits_everywhere",
        ),
    ),
    row(
        121,
        "SIGTERM",
        elsewhere=("test_cli.py::test_stopping_keeps_what_was_finished",),
    ),
    row(
        122,
        "a clock that jumps back, no home, another language",
        elsewhere=(
            "test_surroundings.py::test_no_home_and_no_language_change_nothing",
            "test_surroundings.py::test_no_time_is_measured_by_a_clock_that_can_be_set",
        ),
    ),
    row(
        123,
        "a port in use",
        later="the lab",
    ),
    row(
        124,
        "malformed requests",
        later="the lab",
    ),
    row(
        125,
        "a request for a billion units",
        later="the lab",
    ),
]
