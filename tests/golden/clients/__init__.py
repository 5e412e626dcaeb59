"""What real client packages send, recorded, against what a stub provider says it answered.

`programs/` holds the clients, `stub/` the provider that they call and the receiver that they send to, `recorded/` what
came of it. README.md tells how to add a client.
"""
