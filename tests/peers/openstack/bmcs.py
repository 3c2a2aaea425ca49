"""bmcs.py CONFIG: the emulator of sushy-tools, with power that changes at once and state that is not forced to disk."""
import contextlib
import sqlite3
import sys
import types

from sushy_tools.emulator import main
from sushy_tools.emulator import memoize
from sushy_tools.emulator.resources.systems import fakedriver

fakedriver.random = types.SimpleNamespace(randint=lambda low, high: 0)


@contextlib.contextmanager
def connection(self):
    with contextlib.closing(sqlite3.connect(self._dbpath)) as database, database:
        database.execute('pragma journal_mode=wal')
        database.execute('pragma synchronous=off')
        yield database.cursor()


memoize.PersistentDict.connection = connection
sys.argv[1:] = ['--config', sys.argv[1]]
sys.exit(main.main())
