"""Draw the icons of the installed app from ``web/public/icon.svg`` (needs Debian's chromium)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PUBLIC = Path(__file__).parents[1] / "web" / "public"
GROUND = "#0e6b6b"  # of icon.svg
# Name, side [px], share of the side that the drawing takes. Phones cut a "maskable" icon to a shape of their own,
# as small as a circle of 80 % of its side (https://www.w3.org/TR/appmanifest/#icon-masks); iOS rounds corners itself.
ICONS = (
    ("icon-192.png", 192, None),
    ("icon-512.png", 512, None),
    ("icon-maskable-512.png", 512, 0.72),
    ("apple-touch-icon.png", 180, 0.86),
)


def main() -> int:
    """Draw each; one without a share keeps the rounded corners of the drawing."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("no chromium on this machine: install it to draw the icons\n")
        return 1
    drawing = (PUBLIC / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, side, share in ICONS:
            page = browser.new_page(viewport={"width": side, "height": side})
            ground = "transparent" if share is None else GROUND
            page.set_content(
                f"<style>html, body {{ margin: 0; background: {ground} }} body {{ display: grid; place-items: center;"
                f" height: {side}px }} svg {{ width: {side * (share or 1)}px }}</style>{drawing}"
            )
            page.screenshot(path=PUBLIC / name, omit_background=True)
            page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
