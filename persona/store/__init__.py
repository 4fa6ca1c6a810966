"""What is kept: tables, migrations, and the few transactions. Knows values only."""
