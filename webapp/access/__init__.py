"""Who is asking and what they may: the gate, owners, and the throttle on wrong passwords. No Flask here."""
