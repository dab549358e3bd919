"""Every pair of parser, partitioner, format and codec on one corpus, read back
by readers of others; the whole matrix in the deep run."""

import collections
import json
import time

import kafka as clients
import matrix
import proof
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from flow import local_store, settings
from secor import secor_command

AT_ONCE = 150  # topics of one run


def create_all(address, topics):
    admin = AdminClient({"bootstrap.servers": address})
    for made in admin.create_topics([NewTopic(t, 1, 1) for t in topics],
                                    operation_timeout=60).values():
        made.result(60)
    end = time.monotonic() + 60
    while True:
        seen = admin.list_topics(timeout=60).topics
        if all(t in seen and not seen[t].error and
               all(p.leader >= 0 for p in seen[t].partitions.values())
               for t in topics):
            return
        assert time.monotonic() < end, "topics do not appear"
        time.sleep(0.1)


def produce_corpus(address, topics):
    """The corpus to each topic: {topic: parser}."""
    # an event's id is its offset, also where a new topic is not known at first
    producer = Producer({"bootstrap.servers": address,
                         "enable.idempotence": True,
                         "queue.buffering.max.messages": 1000000})
    failed = []
    for topic, parser in topics.items():
        encode = matrix.PARSERS[parser].encode
        for event in matrix.CORPUS:
            producer.produce(
                topic, encode(event), matrix.key(event), partition=0,
                timestamp=event.time, headers=[("h", b"x")],
                on_delivery=lambda e, _: e and failed.append(e))
        producer.poll(0)
    assert producer.flush(60) == 0 and not failed, failed[:3]


def section(use, options):
    return {"use": use, **options}


def override(topic, combination):
    parser, partitioner, form, codec = combination
    field = matrix.PARSERS[parser].field
    return {"match": f"^{topic}$",
            "parser": section(parser, matrix.PARSERS[parser].options),
            "partitioner": section(
                partitioner, matrix.PARTITIONERS[partitioner][0](field)),
            "format": section(
                form, matrix.format_options(parser, form, codec))}


def wanted(combination):
    """{path: values} of the corpus."""
    parser, partitioner = combination[:2]
    paths = collections.defaultdict(collections.Counter)
    for event in matrix.CORPUS:
        path = matrix.PARTITIONERS[partitioner][1](event)
        paths[path][matrix.PARSERS[parser].encode(event)] += 1
    return paths


def read_back(tree, folder, topics):
    """{topic: {path: records}}; SequenceFiles all at once."""
    found = {t: collections.defaultdict(list) for t in topics}
    sequences = []
    for key in proof.object_keys(tree):
        topic, _, rest = key.partition("/")
        path, _, name = rest.rpartition("/")
        parser, _, form, codec = topics[topic]
        options = matrix.format_options(parser, form, codec)
        if form == "sequencefile":
            sequences.append((topic, path, options, folder / key))
            continue
        start = int(name.split("_")[2].split(".")[0])
        found[topic][path] += matrix.READERS[form](
            options, tree.get(key), topic, start)
    for (topic, path, _, _), records in zip(
            sequences, matrix.read_sequences([s[2:] for s in sequences]),
            strict=True):
        found[topic][path] += records
    return found


def check_all(combinations, kafka, group, secor, tmp_path):
    store, tree = local_store(tmp_path / "data")
    topics = {f"{group}-m{i}": c for i, c in enumerate(combinations)}
    create_all(kafka.address, topics)
    produce_corpus(kafka.address, {t: c[0] for t, c in topics.items()})
    config = settings(
        kafka.address, group, list(topics), store,
        overrides=[override(t, c) for t, c in topics.items()],
        batch={"max_age": "5s"}, engine={"log_level": "info"})
    config["kafka"]["topics"] = list(topics)
    process = secor(config, name=group)
    (process.dir / "event.avsc").write_text(json.dumps(
        {k: v for k, v in matrix.SCHEMA.items() if not k.startswith("__")}))
    process.start()
    for topic in topics:
        clients.wait_committed(kafka.address, group, topic,
                               [len(matrix.CORPUS)])
    assert process.stop() == 0
    done = secor_command("verify", process.config, "--deep", cwd=process.dir)
    assert done.returncode == 0, done.stdout + done.stderr
    found = read_back(tree, tmp_path / "data", topics)
    for topic, combination in topics.items():
        values = {path: collections.Counter(v for _, v in records)
                  for path, records in found[topic].items()}
        assert values == wanted(combination), combination
        for records in found[topic].values():
            for offset, value in records:
                assert offset is None or value == matrix.PARSERS[
                    combination[0]].encode(matrix.CORPUS[offset]), combination


def combinations():
    listing = secor_command("plugins")
    assert listing.returncode == 0, listing.stderr
    return matrix.all_combinations(matrix.installed(listing.stdout))


def test_every_pair(kafka, group, secor, tmp_path, record_property):
    every = combinations()
    chosen = matrix.pairwise(every)
    check_all(chosen, kafka, group, secor, tmp_path)
    # every pair of parser, partitioner, format and codec
    record_property("matrix", f"{len(chosen)} of {len(every)} combinations")


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_whole_matrix(kafka, group, secor, tmp_path, record_property):
    every = combinations()
    for i in range(0, len(every), AT_ONCE):
        check_all(every[i:i + AT_ONCE], kafka, f"{group}-{i}", secor,
                  tmp_path / str(i))
    record_property("matrix", f"{len(every)} of {len(every)} combinations")
