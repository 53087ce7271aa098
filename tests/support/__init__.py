"""What several tests share and import by name; fixtures stand in conftest.py."""
