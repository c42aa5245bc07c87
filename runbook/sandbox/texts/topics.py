"""What people of twelve teams write down: for each topic a few scenes, each a sentence with words to fill in.

Sentences of one scene share most of their words, so that their embeddings are close enough to form a concept at the
default threshold; scenes of other topics share hardly any.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; each scene names its gaps in braces, after the keys of `WORDS`."""

    name: str
    scenes: tuple[str, ...]


WORDS: Mapping[str, tuple[str, ...]] = {
    "person": ("Ada", "Bruno", "Chidi", "Dolores", "Emre", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "time": ("03:10", "06:45", "08:00", "09:30", "11:15", "13:20", "15:05", "17:40", "20:25", "22:55"),
    "count": ("2", "3", "4", "7", "9", "12", "15", "18", "24", "31", "40", "64"),
    "service": ("checkout", "catalogue", "billing", "session", "gateway", "ledger", "mailer", "profile"),
    "city": ("Lyon", "Oslo", "Porto", "Turin", "Graz", "Ghent", "Leeds", "Malmo"),
    "dish": ("lentil", "tomato", "pumpkin", "mushroom", "carrot", "leek"),
    "colour": ("red", "green", "blue", "grey", "amber", "white"),
}

TOPICS: tuple[Topic, ...] = (
    Topic(
        "deployments",
        (
            "The {service} deployment was rolled back at {time} after the readiness probe failed on {count} pods.",
            "{person} approved the canary release of the {service} service for {day} with a ten percent traffic share.",
            "The container image of {service} was rebuilt on {day} to pick up the patched base layer.",
            "Blue-green switch of the {service} cluster finished at {time} with {count} seconds of draining.",
            "The deployment pipeline of {service} stopped at the integration stage because {count} tests timed out.",
        ),
    ),
    Topic(
        "databases",
        (
            "Replication lag on the {service} database reached {count} seconds during the nightly vacuum at {time}.",
            "{person} added a partial index to the orders table of {service} and the slow query log went quiet.",
            "The connection pool of the {service} database was exhausted at {time} by {count} idle transactions.",
            "Restoring the {service} database snapshot into the staging environment took {count} minutes on {day}.",
            "A deadlock between two long transactions in the {service} database was resolved by {person} at {time}.",
        ),
    ),
    Topic(
        "customers",
        (
            "A customer from {city} asked for a refund because the parcel arrived {count} days late and damaged.",
            "{person} called the customer in {city} back on {day} and extended the trial subscription by a month.",
            "The complaint about the double invoice from {city} was settled by {person} with a credit note on {day}.",
            "Customer interviews in {city} showed that {count} of our users could not find the export button.",
            "A loyal customer in {city} recommended us to {count} colleagues after the support chat with {person}.",
        ),
    ),
    Topic(
        "kitchen",
        (
            "The {dish} soup needs {count} minutes on low heat and a spoon of cream just before serving.",
            "{person} baked the sourdough bread on {day} with rye flour and a long cold fermentation overnight.",
            "For the {dish} risotto the broth is added one ladle at a time while stirring for {count} minutes.",
            "The cooking class on {day} taught {person} how to fold dumplings filled with {dish} and ginger.",
            "We ran out of olive oil and basil on {day} so the {dish} pasta was served with butter instead.",
        ),
    ),
    Topic(
        "garden",
        (
            "{person} pruned the old apple trees on {day} and left {count} buckets of branches for the shredder.",
            "The tomato seedlings in the greenhouse were watered at {time} because the soil had dried out again.",
            "Slugs ate {count} lettuce plants overnight, so {person} put copper tape around the raised beds.",
            "The compost heap was turned on {day} and the thermometer in the middle showed {count} degrees above air.",
            "A hedgehog family moved under the garden shed and {person} saw {count} of them at {time}.",
        ),
    ),
    Topic(
        "travel",
        (
            "The night train from {city} was delayed by {count} minutes and the connection to the coast was missed.",
            "{person} booked a hotel near the main station of {city} for {count} nights, breakfast included.",
            "The boarding gate for the flight to {city} changed twice before departure at {time} on {day}.",
            "Renting bicycles in {city} on {day} was cheaper than the tram pass for {count} passengers.",
            "The customs officer in {city} kept the suitcase of {person} for {count} hours without any explanation.",
        ),
    ),
    Topic(
        "finance",
        (
            "The quarterly forecast was corrected by {person} because {count} invoices had been booked twice in March.",
            "Accounts payable closed the month on {day} with {count} unmatched purchase orders left.",
            "The auditor asked {person} for evidence of the approval limits of {count} cost centres by {day}.",
            "Currency hedging for the {city} subsidiary was extended by {count} months at the bank's suggestion.",
            "The travel budget of the {city} office was cut by {count} percent after the board meeting on {day}.",
        ),
    ),
    Topic(
        "hardware",
        (
            "Fan number {count} in the storage rack was replaced at {time} after the temperature alarm had fired.",
            "{person} swapped the faulty memory module of the build server and ran the burn-in test until {time}.",
            "The uninterruptible power supply reported a weak battery string in cabinet {count} on {day}.",
            "A firmware update of the network switches in the {city} data hall needs a reboot at {time}.",
            "The {colour} fibre cable between rows {count} and the patch panel was bent and lost half its light.",
        ),
    ),
    Topic(
        "meetings",
        (
            "The retrospective on {day} agreed to limit the work in progress to {count} cards per column.",
            "{person} moved the weekly planning meeting from {day} to {time} because the room was double booked.",
            "The minutes of the steering committee were sent out by {person} with {count} open action items.",
            "Onboarding of the new colleague starts on {day} at {time} with {person} as the mentor.",
            "The workshop about naming conventions ended after {count} hours with a compromise proposed by {person}.",
        ),
    ),
    Topic(
        "health",
        (
            "The physiotherapist showed {person} an exercise for the left shoulder, {count} repetitions every morning.",
            "Blood pressure measured at {time} on {day} was slightly raised and the doctor suggested less salt.",
            "{person} ran {count} kilometres along the river on {day} and the knee did not hurt any more.",
            "The dentist appointment of {person} was postponed to {day} at {time} because of a broken drill.",
            "The vaccination record of {person} lacks the tetanus booster, which is due within {count} weeks.",
        ),
    ),
    Topic(
        "music",
        (
            "The string quartet rehearsed the slow movement {count} times on {day} until {person} was content.",
            "{person} tuned the {colour} piano in the school hall before the concert that began at {time}.",
            "The choir from {city} needs {count} more tenors for the requiem in the cathedral in autumn.",
            "The vinyl record with the {colour} sleeve skips after {count} minutes on the second side.",
            "A street musician in {city} played the accordion for {person} until the rain started at {time}.",
        ),
    ),
    Topic(
        "security",
        (
            "The certificate of the {service} endpoint expires on {day} and the renewal job needs a new token.",
            "{count} failed logins for the {service} administrator account were seen from one address at {time}.",
            "{person} rotated the signing key of the {service} service and revoked the old one on {day}.",
            "The penetration test found that the {service} form accepts scripts in {count} of its fields.",
            "A phishing mail pretending to be {person} was reported by {count} colleagues before {time}.",
        ),
    ),
)
