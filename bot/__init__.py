"""What Understudy is and decides. No vendor, no framework, no I/O."""
