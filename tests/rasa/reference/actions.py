"""The assistant's custom actions in Python, for the reference action server (rasa-sdk 3.6.2).

`scripts/rasa --reference` holds the scripted conversations against these, which proves that the conversations say what
the reference does. The YAML actions beside this folder have to behave alike. One thing may differ by rule: the ticket
number, which is made from the sender.
"""
from rasa_sdk import Action, FormValidationAction, ValidationAction
from rasa_sdk.events import ActionExecuted, FollowupAction, SessionStarted, SlotSet
from rasa_sdk.interfaces import ActionExecutionRejection

STATUS_OF_ORDER = {
    "AB-1001": "shipped",
    "AB-1002": "being packed",
    "CD-20001": "delivered",
    "SL-1001": "on its way",
}
SLOW = "I'm still checking. One moment, please."


class FetchOrder(Action):
    def name(self):
        return "action_fetch_order"

    def run(self, dispatcher, tracker, domain):
        number = tracker.get_slot("order_id")
        if not number:
            dispatcher.utter_message(text="Please give me the order number, such as AB-1001.")
            return []
        if number not in STATUS_OF_ORDER:
            dispatcher.utter_message(text="I cannot find order {}.".format(number))
            return [SlotSet("order_id", None), SlotSet("order_status", None)]
        if number == "SL-1001":
            # legwork says so by itself, and at once.
            dispatcher.utter_message(text=SLOW)
        status = STATUS_OF_ORDER[number]
        # Rasa renders a response before it applies the events of the same answer, so the value travels with the message.
        dispatcher.utter_message(response="utter_order_status", order_status=status)
        return [SlotSet("order_status", status)]


class CreateTicket(Action):
    def name(self):
        return "action_create_ticket"

    def run(self, dispatcher, tracker, domain):
        number = sum(ord(letter) for letter in tracker.sender_id) % 10000
        if tracker.get_slot("ticket_subject") == "a slow parcel":
            dispatcher.utter_message(text=SLOW)
        return [
            SlotSet("ticket_id", "T-{:04d}".format(number)),
            SlotSet("ticket_subject", None),
            SlotSet("ticket_description", None),
        ]


class TicketForm(FormValidationAction):
    def name(self):
        return "validate_ticket_form"

    async def required_slots(self, domain_slots, dispatcher, tracker, domain):
        """A ticket about an order needs to know which."""
        about_an_order = "order" in (tracker.get_slot("ticket_subject") or "").lower()
        return domain_slots + ["order_id"] if about_an_order else domain_slots

    def validate_customer_email(self, value, dispatcher, tracker, domain):
        if not isinstance(value, str) or value.endswith("@example.invalid"):
            dispatcher.utter_message(text="That does not look like an e-mail address.")
            return {"customer_email": None}
        return {"customer_email": value.lower()}

    def validate_ticket_subject(self, value, dispatcher, tracker, domain):
        if len(value) < 5:
            dispatcher.utter_message(text="A little longer, please.")
            return {"ticket_subject": None}
        return {"ticket_subject": value}


class SlotMappings(ValidationAction):
    def validate_order_id(self, value, dispatcher, tracker, domain):
        if value and value.startswith("ZZ-"):
            dispatcher.utter_message(text="Orders never start with ZZ.")
            return {"order_id": None}
        return {"order_id": value}


class SetSegment(Action):
    def name(self):
        return "action_set_segment"

    def run(self, dispatcher, tracker, domain):
        if tracker.get_slot("customer_segment"):
            return []
        return [SlotSet("customer_segment", "gold" if "gold" in tracker.sender_id else "basic")]


class SessionStart(Action):
    def name(self):
        return "action_session_start"

    def run(self, dispatcher, tracker, domain):
        address = tracker.get_slot("customer_email")
        kept = [SlotSet("customer_email", address)] if address else []
        return [SessionStarted(), *kept, ActionExecuted("action_listen")]


class FollowupFirst(Action):
    def name(self):
        return "action_followup_first"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="first action done")
        return [FollowupAction("action_followup_second")]


class FollowupSecond(Action):
    def name(self):
        return "action_followup_second"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="second action done", buttons=[{"title": "ok", "payload": "/affirm"}])
        dispatcher.utter_message(json_message={"kind": "card", "n": 1})
        dispatcher.utter_message(image="https://example.org/a.png")
        return [FollowupAction("utter_after_followup")]


class RejectAlways(Action):
    def name(self):
        return "action_reject_always"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="lost, as the action is rejected")
        raise ActionExecutionRejection(self.name(), "not now")


class Fail(Action):
    def name(self):
        return "action_fail"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="lost, as the action raises")
        raise RuntimeError("boom")
