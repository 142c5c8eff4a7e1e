//! The closed lists of codes that models use, with a word for each code in every language the engine speaks.
//!
//! A code that stands in two lists has the same words in both, so that `{{ order.status | label }}` needs no list's name; a
//! test holds that. Words are what stands after "Order 1001: …"; sentences belong to messages.

use std::collections::BTreeMap;

/// A closed list of codes.
#[derive(Debug, PartialEq, Eq)]
pub struct Codes {
    /// The list's name, such as `OrderStatus`.
    pub name: &'static str,
    /// What it tells, in one sentence.
    pub doc: &'static str,
    /// The codes, in the order of the documentation.
    pub codes: &'static [Code],
}

/// One code of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// As it stands in answers, slots and conditions.
    pub code: &'static str,
    /// When a thing is in this state, in one sentence.
    pub doc: &'static str,
    /// Language and word.
    pub labels: &'static [(&'static str, &'static str)],
}

impl Code {
    /// The word in the language of `locale` (`de`, `de-AT`), else in English, else the code itself.
    #[must_use]
    pub fn label(&self, locale: &str) -> &'static str {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        let word = |of: &str| self.labels.iter().find(|(lang, _)| lang.eq_ignore_ascii_case(of)).map(|(_, word)| *word);
        word(language).or_else(|| word("en")).unwrap_or(self.code)
    }
}

/// Every code's word in the language of `locale`, for a template's `label` filter.
#[must_use]
pub fn labels(locale: &str) -> BTreeMap<&'static str, &'static str> {
    Codes::ALL.iter().flat_map(|list| list.codes).map(|code| (code.code, code.label(locale))).collect()
}

macro_rules! codes {
    ($(
        $(#[doc = $doc:literal])+
        $list:ident { $( $(#[doc = $code_doc:literal])+ $variant:ident = $code:literal, $en:literal, $de:literal; )+ }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
            pub enum $list {
                $( $(#[doc = $code_doc])+ #[serde(rename = $code)] $variant, )+
            }

            impl $list {
                /// The same list as data.
                pub const CODES: &'static Codes = &Codes {
                    name: stringify!($list),
                    doc: concat!($($doc),+).trim_ascii(),
                    codes: &[$(
                        Code { code: $code, doc: concat!($($code_doc),+).trim_ascii(), labels: &[("en", $en), ("de", $de)] },
                    )+],
                };
            }
        )+

        impl Codes {
            /// Every list.
            pub const ALL: &'static [&'static Self] = &[$($list::CODES),+];
        }
    };
}

codes! {
    /// How far a customer's standing with the company goes.
    CustomerTier {
        /// A customer like most.
        Standard = "standard", "standard", "Standard";
        /// A customer of the loyalty programme.
        Plus = "plus", "plus", "Plus";
        /// A customer whom the company looks after personally.
        Vip = "vip", "VIP", "VIP";
    }

    /// Whether an employee can be reached.
    EmployeeStatus {
        /// Works here, and is at work when others are.
        Active = "active", "active", "aktiv";
        /// Works here, and is away for a while.
        OnLeave = "on_leave", "on leave", "abwesend";
        /// Works here no more.
        Left = "left", "no longer with us", "ausgeschieden";
    }

    /// How an interaction took place.
    InteractionKind {
        /// A conversation with an assistant or an agent in a chat.
        Chat = "chat", "chat", "Chat";
        /// A telephone call.
        Call = "call", "phone call", "Anruf";
        /// An e-mail.
        Email = "email", "e-mail", "E-Mail";
        /// A meeting, in person or by video.
        Meeting = "meeting", "meeting", "Termin";
        /// A note of an employee.
        Note = "note", "note", "Notiz";
    }

    /// How far a lead has come.
    LeadStatus {
        /// Nobody has looked at it yet.
        New = "new", "new", "neu";
        /// Somebody has been in touch.
        Contacted = "contacted", "contacted", "kontaktiert";
        /// Worth pursuing.
        Qualified = "qualified", "qualified", "qualifiziert";
        /// Became a customer.
        Converted = "converted", "converted", "gewonnen";
        /// Went elsewhere or nowhere.
        Lost = "lost", "lost", "verloren";
    }

    /// What an absence is for.
    LeaveKind {
        /// Paid annual leave.
        Vacation = "vacation", "vacation", "Urlaub";
        /// Absence through illness.
        Sick = "sick", "sick leave", "Krankheit";
        /// Leave without pay.
        Unpaid = "unpaid", "unpaid leave", "unbezahlter Urlaub";
        /// Leave for parents.
        Parental = "parental", "parental leave", "Elternzeit";
    }

    /// How far a leave request has come.
    LeaveStatus {
        /// Waits for a decision.
        Requested = "requested", "requested", "beantragt";
        /// Granted.
        Approved = "approved", "approved", "genehmigt";
        /// Not granted.
        Declined = "declined", "declined", "abgelehnt";
        /// Taken back by who asked.
        Cancelled = "cancelled", "cancelled", "storniert";
    }

    /// How far a message has come.
    MessageStatus {
        /// Waits to be sent.
        Queued = "queued", "waiting to be sent", "wartet auf den Versand";
        /// On its way.
        Sent = "sent", "sent", "gesendet";
        /// With whom it was sent to.
        Delivered = "delivered", "delivered", "zugestellt";
        /// It did not arrive.
        Failed = "failed", "failed", "fehlgeschlagen";
    }

    /// How far an opportunity has come.
    OpportunityStage {
        /// Somebody is interested; nothing is known yet.
        New = "new", "new", "neu";
        /// What they need is known, and that it can be sold to them.
        Qualified = "qualified", "qualified", "qualifiziert";
        /// They were shown or sent what they would get.
        Proposal = "proposal", "proposal made", "Angebot gemacht";
        /// Terms are talked about, or a contract waits to be signed.
        Negotiation = "negotiation", "under negotiation", "in Verhandlung";
        /// They bought.
        Won = "won", "won", "gewonnen";
        /// They did not buy.
        Lost = "lost", "lost", "verloren";
    }

    /// Where an order is on its way.
    OrderStatus {
        /// Accepted; nothing has left the warehouse.
        Pending = "pending", "pending shipment", "wartet auf den Versand";
        /// Being packed.
        Processing = "processing", "being processed", "in Bearbeitung";
        /// Handed to the carrier.
        Shipped = "shipped", "shipped", "versandt";
        /// With the customer.
        Delivered = "delivered", "delivered", "zugestellt";
        /// Stopped until something is settled, such as a payment.
        OnHold = "on_hold", "on hold", "angehalten";
        /// Called off before it was sent.
        Cancelled = "cancelled", "cancelled", "storniert";
        /// Sent back by the customer.
        Returned = "returned", "returned", "zurückgesandt";
    }

    /// How far a payment has come.
    PaymentStatus {
        /// Nothing was paid yet.
        Open = "open", "open", "offen";
        /// The customer has to do something, such as confirm it at their bank.
        ActionNeeded = "action_needed", "waiting for your confirmation", "wartet auf Ihre Bestätigung";
        /// On its way.
        Processing = "processing", "being processed", "in Bearbeitung";
        /// Reserved; the money is taken later.
        Authorized = "authorized", "authorized", "autorisiert";
        /// The money came.
        Paid = "paid", "paid", "bezahlt";
        /// A part of the money went back.
        PartlyRefunded = "partly_refunded", "partly refunded", "teilweise erstattet";
        /// The money went back.
        Refunded = "refunded", "refunded", "erstattet";
        /// It was refused.
        Failed = "failed", "failed", "fehlgeschlagen";
        /// Called off.
        Cancelled = "cancelled", "cancelled", "storniert";
    }

    /// How far a return has come.
    ReturnStatus {
        /// Waits for a decision.
        Requested = "requested", "requested", "beantragt";
        /// Granted; the customer may send the goods.
        Approved = "approved", "approved", "genehmigt";
        /// On its way to the warehouse.
        InTransit = "in_transit", "on its way back", "auf dem Rückweg";
        /// Arrived at the warehouse.
        Received = "received", "received", "eingegangen";
        /// The money went back.
        Refunded = "refunded", "refunded", "erstattet";
        /// Not granted.
        Declined = "declined", "declined", "abgelehnt";
    }

    /// How far a service request has come.
    ServiceRequestStatus {
        /// Waits for a decision, or for somebody to begin.
        Requested = "requested", "requested", "beantragt";
        /// Granted; somebody will see to it.
        Approved = "approved", "approved", "genehmigt";
        /// Somebody sees to it.
        InProgress = "in_progress", "in progress", "in Arbeit";
        /// An answer of whom it is for is awaited.
        Waiting = "waiting", "waiting for your answer", "wartet auf Ihre Antwort";
        /// Stopped until somebody else has done their part.
        OnHold = "on_hold", "on hold", "angehalten";
        /// There, or done.
        Fulfilled = "fulfilled", "fulfilled", "erledigt";
        /// Not granted.
        Declined = "declined", "declined", "abgelehnt";
        /// Called off, or ended without being done.
        Cancelled = "cancelled", "cancelled", "storniert";
    }

    /// How much a ticket presses.
    TicketPriority {
        /// When there is time.
        Low = "low", "low", "niedrig";
        /// The usual.
        Normal = "normal", "normal", "normal";
        /// Before the usual.
        High = "high", "high", "hoch";
        /// At once.
        Urgent = "urgent", "urgent", "dringend";
    }

    /// How far a ticket has come.
    TicketStatus {
        /// Nobody has looked at it yet.
        New = "new", "new", "neu";
        /// Somebody works on it.
        Open = "open", "open", "offen";
        /// An answer of the customer is awaited.
        Waiting = "waiting", "waiting for your answer", "wartet auf Ihre Antwort";
        /// Stopped until somebody else has done their part.
        OnHold = "on_hold", "on hold", "angehalten";
        /// Answered; it opens again when the customer writes.
        Solved = "solved", "solved", "gelöst";
        /// Over; it stays as it is.
        Closed = "closed", "closed", "geschlossen";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_stands_in_two_lists_has_the_same_words_in_both() {
        let mut seen = BTreeMap::new();
        for list in Codes::ALL {
            for code in list.codes {
                let (first, words) = *seen.entry(code.code).or_insert((list.name, code.labels));
                assert_eq!(words, code.labels, "`{}` of {first} and of {}", code.code, list.name);
            }
        }
    }

    #[test]
    fn a_locale_without_words_speaks_english() {
        assert_eq!(labels("en")["pending"], "pending shipment");
        assert_eq!(labels("de-AT")["shipped"], "versandt");
        assert_eq!(labels("fr")["shipped"], "shipped");
    }

    #[test]
    fn a_code_reads_back_as_its_variant() {
        let status: OrderStatus = serde_json::from_str("\"on_hold\"").unwrap();
        assert_eq!(status, OrderStatus::OnHold);
        assert_eq!(serde_json::to_string(&status).unwrap(), "\"on_hold\"");
    }
}
