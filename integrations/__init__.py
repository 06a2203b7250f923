"""Everything outside that Understudy touches: one room per outside thing."""
