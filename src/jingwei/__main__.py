"""`python -m jingwei` is the command line."""

from jingwei.cli import main

main()
