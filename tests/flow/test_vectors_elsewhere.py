"""Where each of the original's vectors is shown that test_vectors.py does not
run, and as what: `as the original`, `compat: secor`, `better` with the reason, or
`not there` for what is not. A vector without a place is a failure."""

import pathlib
import re

import pytest
from test_vectors import VECTORS

TESTS = pathlib.Path(__file__).resolve().parent.parent
UNIT = "unit/plugins/"
MIGRATE = "unit/core/cli/migrate/"

# the vectors in the order of the inventory
NUMBERS = {n for n in range(1, 279)
           if n in range(271, 279) or n % 10 in (1, 2, 4, 5, 7, 8)}

ORIGINAL, COMPAT, BETTER = "as the original", "compat: secor", "better: "
NOT_THERE = "not there: "

# vectors, mark, file, a name in it
ELSEWHERE = [
    (range(1, 18), COMPAT, UNIT + "common/when_compat_test.c", None),
    (range(61, 86), COMPAT, UNIT + "common/when_compat_test.c", None),
    ([35, 135], BETTER + "said when the configuration is read",
     "flow/test_vectors.py",
     "test_configuration_that_cannot_work_is_refused"),
    (range(117, 123), ORIGINAL, UNIT + "parser/msgpack_test.c", None),
    (range(124, 129), ORIGINAL, UNIT + "parser/protobuf_test.c", None),
    (range(144, 148), ORIGINAL, UNIT + "parser/thrift_test.c", None),
    ([148], ORIGINAL, "flow/test_vectors.py", "test_vector_148"),
    ([*range(151, 159), 165, 167, 168, 171, 172],
     BETTER + "every span of a year, in any zone, without holes",
     UNIT + "partitioner/date_back_test.c", None),
    ([161, 162], ORIGINAL, "unit/core/flow/final/ledger_test.c",
     "hour_before_the_last_partition_is_over"),
    ([164], ORIGINAL, "unit/core/flow/final/watermark_test.c",
     "topic_without_partitions_has_none"),
    ([174, 175, 181, 182, 184], ORIGINAL, "unit/core/flow/path_test.c", None),
    ([177, 178, 185, 187, 188], ORIGINAL,
     "unit/core/cli/verify_strangers_test.c", None),
    ([191], BETTER + "offsets are the group's in Kafka, no ZooKeeper",
     "unit/core/flow/record_test.c", None),
    ([192], NOT_THERE + "Swift, migrate says so", "migrate/swift.yaml", None),
    ([194], NOT_THERE + "GCS, migrate says so", "migrate/gs.yaml", None),
    (range(195, 205), ORIGINAL, MIGRATE + "properties_test.c", None),
    ([205], BETTER + "with the line, and what was meant",
     "config/bad/plugin_unknown.expected", "no"),
    ([207], ORIGINAL, "flow/test_tools.py",
     "test_print_gives_back_records_and_dead_letters"),
    ([208], BETTER + "said when the configuration is read",
     "config/bad/type_choice.expected", "is not"),
    ([211], ORIGINAL, "flow/test_batches.py", "max_bytes"),
    ([212], ORIGINAL, "flow/test_batches.py",
     "test_age_counts_from_the_oldest_or_the_youngest_file"),
    ([214], ORIGINAL, "flow/test_batches.py",
     "test_minute_marks_cut_once_a_mark"),
    ([215], BETTER + "the count that ends a batch is one of its own objects",
     "flow/test_batches.py", "max_objects"),
    ([217], BETTER + "a plan says first what is uploaded",
     "flow/test_steps.py",
     "test_killed_at_step_loses_and_doubles_nothing"),
    ([218], BETTER + "who finds another's offset halts and says so",
     "flow/test_halts.py",
     "test_foreign_commit_while_running_halts_before_the_next_plan"),
    ([221], BETTER + "one order of ending, in every step",
     "flow/test_sigterm.py", "test_stopped_in_any_step_ends_in_order"),
    ([222], BETTER + "only what a dead process of its own left",
     "unit/core/flow/stage_test.c", "open_wipes_what_a_dead_process_left"),
    ([224], BETTER + "with jitter and a cap", UNIT + "common/retry_test.c",
     "waits_double_up_to_the_cap_with_jitter"),
    ([225], BETTER + "the topic is a label", "unit/core/base/metrics_test.c",
     "labels_that_differ_in_value_only_are_two_metrics"),
    ([227], BETTER + "each message has its own schema",
     "flow/test_avro_registry.py",
     "test_avro_by_registry_has_an_object_a_schema"),
    ([228], BETTER + "an empty message is a bad one, not a null",
     UNIT + "parser/avro_test.c", "prefix_of_a_record_is_always_rejected"),
    ([231, 232], ORIGINAL, UNIT + "format/sequencefile/golden_test.c",
     "8201cd5ac002c4052c37424d58"),
    (range(234, 248), NOT_THERE + "Parquet and ORC, migrate says so",
     MIGRATE + "formats_test.c", "Parquet"),
    ([248], ORIGINAL, "flow/test_formats.py",
     "test_sequencefiles_of_every_mode_are_read_by_hadoop"),
    ([251], ORIGINAL, "flow/test_offsets.py",
     "test_import_begins_where_another_group_stopped"),
    ([252], BETTER + "a foreign commit halts instead of storing twice",
     "flow/test_halts.py",
     "test_foreign_commit_while_running_halts_before_the_next_plan"),
    ([254], ORIGINAL, "flow/test_finalize.py",
     "test_paths_that_are_over_are_marked_once_with_what_is_in_them"),
    ([255], ORIGINAL, "flow/test_delivery.py",
     "test_messages_are_stored_exactly_once"),
    (range(257, 279), ORIGINAL, UNIT + "format/sequencefile/golden_test.c",
     None),
]


def test_every_vector_has_a_place():
    shown = {v[0] for v in VECTORS}
    for numbers, _, _, _ in ELSEWHERE:
        shown |= set(numbers)
    assert sorted(NUMBERS - shown) == []


@pytest.mark.parametrize(
    "place", ELSEWHERE, ids=lambda p: "-".join(map(str, list(p[0])[:2])))
def test_place_is_there(place):
    numbers, mark, file, name = place
    text = (TESTS / file).read_text()
    assert mark in (ORIGINAL, COMPAT) or len(mark.partition(": ")[2]) > 3
    if name is not None:
        assert name in text
    else:  # the numbers stand beside the rows
        assert re.search(rf"\b({'|'.join(map(str, numbers))})\b", text) \
            or file.startswith("migrate/") or "record_test" in file
