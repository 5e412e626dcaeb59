"""What Spanwise makes of a recording, held against the truth log.

`payload` reads what was sent, `rows` puts it through the real transform, `matching` finds the span of each answer.
`fields` lists what is judged: `expected` what it should be, `found` what it is, `sent` whether the payload has it.
`absent` reads what a client is known not to send, `verdicts` judges.
"""
