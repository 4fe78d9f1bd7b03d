"""The providers, one file each, and the transport they share. Their words and keys end here."""
