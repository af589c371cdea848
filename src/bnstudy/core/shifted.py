"""What tables call test images: apart from words for readers, since what is measured depends on this module."""

ANOTHER = "another source"
"""The family of images that others than the study's source collected."""
