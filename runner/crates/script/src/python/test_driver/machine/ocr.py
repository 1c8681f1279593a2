"""Reading pictures of the screen."""

from test_driver.errors import MachineError


def perform_ocr_on_screenshot(screenshot_path):
    raise MachineError("pictures are read by their machine: use get_screen_text()")


def perform_ocr_variants_on_screenshot(screenshot_path, variants=True):
    raise MachineError(
        "pictures are read by their machine: use get_screen_text_variants()"
    )
