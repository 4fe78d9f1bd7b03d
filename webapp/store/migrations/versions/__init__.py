"""One file per revision. Released revisions never change."""
