"""`python -m dpconsole`: the same as `dpconsole`."""

from dpconsole.cli import main

if __name__ == "__main__":
    main()
