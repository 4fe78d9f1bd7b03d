"""Who is asking and what they may: principals, cookies, sessions, addresses, limits. No Flask and no SQL here."""
