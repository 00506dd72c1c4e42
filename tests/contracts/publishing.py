"""A publisher in a process of its own: sends each line of its input, says so, and ends as the outlet does.

Arguments: broker, topic, patience in seconds. In a process of its own because kafka-python leaves
the sockets of failed attempts to connect to the garbage collector.
"""

import sys

from agents.drivers.kafka_outlet import KafkaOutlet
from agents.settings import Settings
from schemas.errors import DunghanError
from schemas.event import read_event


def main() -> int:
    broker, topic, patience = sys.argv[1:]
    try:
        with KafkaOutlet(Settings(brokers=(broker,)), topic=topic, patience=float(patience)) as outlet:
            for line in sys.stdin.buffer:
                outlet.send(read_event(line))
                print("sent", flush=True)
            outlet.finish()
            print("acknowledged", outlet.acknowledged)
    except DunghanError as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
