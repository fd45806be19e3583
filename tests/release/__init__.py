"""What is checked and made for a release."""
