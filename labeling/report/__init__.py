"""The page that shows what a labeler said, clip by clip, so that a person sees whether it is right."""

from labeling.report.page import REPORT_FILE, write_report

__all__ = ["REPORT_FILE", "write_report"]
