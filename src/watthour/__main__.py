"""``python -m watthour`` is the command ``watthour``."""

from watthour.cli import main

if __name__ == "__main__":
    main()
