"""The type checker of the import hook in conftest.py."""

from beartype import BeartypeConf, beartype

# An int is a float wherever a float is asked for, as Python's typing (PEP 484) has it.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
