"""Writes rosbag2 folders with the Python package rosbags, and their files once more as older and other recorders do.

options: {"folder": where, "messages": [[topic, type, log time, CDR in hexadecimal], ...]}. Makes the folders
sqlite3, sqlite3_file (zstd, file by file), sqlite3_message (zstd, message by message), mcap_file, and the files
humble.db3 (schema version 3, without message definitions) and wal.db3 (half of it still in its write-ahead log).
"""

import json
import shutil
import sqlite3
import sys
from pathlib import Path

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
root = Path(options["folder"])
typestore = get_typestore(Stores.ROS2_HUMBLE)


def write(name, plugin, mode=None):
    writer = Writer(root / name, version=9, storage_plugin=plugin)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic, msgtype, time, data in options["messages"]:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, msgtype, typestore=typestore)
            writer.write(connections[topic], int(time), bytes.fromhex(data))


write("sqlite3", StoragePlugin.SQLITE3)
write("sqlite3_file", StoragePlugin.SQLITE3, CompressionMode.FILE)
write("sqlite3_message", StoragePlugin.SQLITE3, CompressionMode.MESSAGE)
write("mcap_file", StoragePlugin.MCAP, CompressionMode.FILE)

# rosbag2 of ROS 2 Humble: rosbag2_storage_default_plugins/src/.../sqlite_storage.cpp, schema version 3
humble = sqlite3.connect(root / "humble.db3")
humble.executescript(
    """
    CREATE TABLE schema(schema_version INTEGER PRIMARY KEY,ros_distro TEXT NOT NULL);
    CREATE TABLE metadata(id INTEGER PRIMARY KEY,metadata_version INTEGER NOT NULL,metadata TEXT NOT NULL);
    CREATE TABLE topics(id INTEGER PRIMARY KEY,name TEXT NOT NULL,type TEXT NOT NULL,
      serialization_format TEXT NOT NULL,offered_qos_profiles TEXT NOT NULL);
    CREATE TABLE messages(id INTEGER PRIMARY KEY,topic_id INTEGER NOT NULL,timestamp INTEGER NOT NULL,
      data BLOB NOT NULL);
    CREATE INDEX timestamp_idx ON messages (timestamp ASC);
    INSERT INTO schema VALUES (3, 'humble');
    """
)
ids = {}
for topic, msgtype, time, data in options["messages"]:
    if topic not in ids:
        ids[topic] = len(ids) + 1
        humble.execute(
            "INSERT INTO topics VALUES (?, ?, ?, 'cdr', '')",
            (ids[topic], topic, msgtype),
        )
    humble.execute(
        "INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)",
        (ids[topic], int(time), bytes.fromhex(data)),
    )
humble.commit()
humble.close()

# The storage preset "resilient" writes ahead; a recorder that was killed leaves its log behind.
recorder = root / "recorder.db3"
shutil.copy(root / "humble.db3", recorder)
wal = sqlite3.connect(recorder)
wal.execute("PRAGMA journal_mode = WAL")
half = len(options["messages"]) // 2
wal.execute("DELETE FROM messages WHERE id > ?", (half,))
wal.commit()
wal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
for topic, _, time, data in options["messages"][half:]:
    wal.execute(
        "INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)",
        (ids[topic], int(time), bytes.fromhex(data)),
    )
wal.commit()
shutil.copy(recorder, root / "wal.db3")
shutil.copy(f"{recorder}-wal", root / "wal.db3-wal")
wal.close()
