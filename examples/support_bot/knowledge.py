"""What the shop's assistant knows: help articles, orders, and the questions that customers ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """A help article."""

    id: str
    title: str
    text: str


ARTICLES = (
    Article(
        "returns",
        "Returning an item",
        "You can return any unused item within 30 days of delivery. Open your order, choose Return and print "
        "the label. The refund arrives three to five working days after the parcel reaches our warehouse. "
        "Opened software and earphones cannot be returned for hygiene and licence reasons.",
    ),
    Article(
        "shipping",
        "Shipping times and costs",
        "Standard shipping takes two to four working days and is free above 50 euros, otherwise 4.90 euros. "
        "Express shipping arrives the next working day when you order before 14:00 and costs 9.90 euros. We "
        "ship to all countries of the European Union, Norway and Switzerland.",
    ),
    Article(
        "warranty",
        "Warranty and repairs",
        "Every device has a warranty of two years from delivery. Send us a description of the fault and a "
        "photograph, and we answer within one working day. Repairs take about ten working days. Batteries are "
        "covered for one year.",
    ),
    Article(
        "payment",
        "Ways to pay",
        "We accept credit cards, SEPA direct debit, invoices for companies and payment in three instalments "
        "from 100 euros. The card is charged when the parcel leaves the warehouse. A declined card is tried "
        "again after 24 hours.",
    ),
    Article(
        "account",
        "Your account and password",
        "To reset the password, choose Forgot password on the sign-in page; the link is valid for one hour. "
        "You can delete your account under Settings, Privacy. Orders are kept for ten years because tax law "
        "asks for it.",
    ),
    Article(
        "headphones",
        "Pairing the Aria headphones",
        "Hold the button on the right cup for five seconds until the light blinks blue, then choose Aria in "
        "the Bluetooth settings of your phone. To connect a second device, press the button twice. If pairing "
        "fails, reset the headphones by holding both volume buttons for ten seconds.",
    ),
    Article(
        "firmware",
        "Updating the firmware",
        "Install the companion app, connect the device and open Settings, Update. Keep the device on its "
        "charger: an update takes six minutes and must not be interrupted. If it was, hold the power button "
        "for twenty seconds and start again.",
    ),
    Article(
        "invoice",
        "Invoices for companies",
        "Add your VAT number to the company profile before you order and the invoice shows it. Invoices are "
        "in your account under Orders as PDF. We cannot change an invoice after 30 days.",
    ),
)

ORDERS = {
    "10482": "in transit, expected on Thursday",
    "10517": "delivered on Monday, signed by a neighbour",
    "10533": "waiting for payment: the card was declined",
    "10561": "packed, leaves the warehouse today",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer asks, and the article that answers it (empty: the answer is an order's state)."""

    text: str
    article: str


QUESTIONS = (
    Question("How long do I have to return headphones that I have not opened?", "returns"),
    Question("When will my refund arrive?", "returns"),
    Question("Do you ship to Norway, and what does it cost?", "shipping"),
    Question("Can I get my parcel tomorrow if I order now?", "shipping"),
    Question("My speaker makes a crackling noise. Is that covered by the warranty?", "warranty"),
    Question("How long does a repair take?", "warranty"),
    Question("Can I pay in instalments?", "payment"),
    Question("My card was declined. What happens now?", "payment"),
    Question("I forgot my password and the link does not work any more.", "account"),
    Question("How do I delete my account?", "account"),
    Question("How do I pair my Aria headphones with a second phone?", "headphones"),
    Question("The headphones do not show up in Bluetooth.", "headphones"),
    Question("The firmware update was interrupted. Is my device broken?", "firmware"),
    Question("Where do I find the invoice with our VAT number?", "invoice"),
    Question("Where is my order 10482?", ""),
    Question("What is the status of order 10533?", ""),
    Question("Has order 10517 been delivered?", ""),
    Question("Can you tell me when order 10561 will be sent?", ""),
)

USERS = tuple(
    f"{name}@example.com"
    for name in (
        *("ada", "alan", "barbara", "claude", "dennis", "edsger", "frances", "grace", "hedy", "ida"),
        *("john", "karen", "leslie", "margaret", "niklaus", "radia", "sophie", "tim", "vint", "whitfield"),
    )
)
