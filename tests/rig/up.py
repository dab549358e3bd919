"""Starts servers of the rig for a person: up.py kafka rgw weed versity
metastore.

Prints their addresses and keys, and ends them at Ctrl-C.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from metastore import Metastore  # noqa: E402
from servers import Kafka, Rgw, SeaweedFS  # noqa: E402
from versity import Versity  # noqa: E402

KINDS = {"kafka": Kafka, "rgw": Rgw, "weed": SeaweedFS, "versity": Versity,
         "metastore": Metastore}


def main(names):
    if not names or any(n not in KINDS for n in names):
        sys.exit(f"usage: up.py {'|'.join(KINDS)}...")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers = []
    try:
        for name in names:
            s = KINDS[name]()
            servers.append(s)
            s.start()
            if name == "kafka":
                print(f"kafka brokers={s.address} dir={s.dir}", flush=True)
            elif name == "metastore":
                print(f"metastore uris={s.uri} dir={s.dir}", flush=True)
            else:
                print(f"{name} endpoint={s.endpoint} "
                      f"access_key={s.access_key} secret_key={s.secret_key} "
                      f"region={s.region} dir={s.dir}", flush=True)
        print("Ctrl-C ends them", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        for s in servers:
            s.close()


main(sys.argv[1:])
