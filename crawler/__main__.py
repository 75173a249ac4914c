"""`python -m crawler` is `rasid`."""

from crawler.cli import main

if __name__ == "__main__":
    main()
