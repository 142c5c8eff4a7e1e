//! Writes an event as the reference server does: the same keys, in the same order.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Event, EventKind};

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event", self.kind.name())?;
        if !self.timestamp_comes_last() {
            map.serialize_entry("timestamp", &self.timestamp)?;
        }
        self.kind.keys::<S>(&mut map)?;
        if self.timestamp_comes_last() {
            map.serialize_entry("timestamp", &self.timestamp)?;
        }
        // The reference writes the key of these two even when there is nothing to say.
        let always = matches!(self.kind, EventKind::Bot { .. } | EventKind::SessionEnded);
        if always || self.metadata.is_some() {
            map.serialize_entry("metadata", &self.metadata)?;
        }
        map.end()
    }
}

impl Event {
    fn timestamp_comes_last(&self) -> bool {
        matches!(
            self.kind,
            EventKind::Action { .. }
                | EventKind::ActionExecutionRejected { .. }
                | EventKind::ActiveLoop { .. }
                | EventKind::LoopInterrupted { .. }
                | EventKind::Agent { .. }
        )
    }
}

impl EventKind {
    fn keys<S: Serializer>(&self, map: &mut S::SerializeMap) -> Result<(), S::Error> {
        match self {
            Self::Slot { name, value } => {
                map.serialize_entry("name", name)?;
                map.serialize_entry("value", value)
            }
            Self::Followup { name } => map.serialize_entry("name", name),
            Self::ActiveLoop { name } => map.serialize_entry("name", name),
            Self::LoopInterrupted { is_interrupted } => map.serialize_entry("is_interrupted", is_interrupted),
            Self::Reminder { intent, entities, date_time, name, kill_on_user_msg } => {
                map.serialize_entry("intent", intent)?;
                map.serialize_entry("entities", entities)?;
                map.serialize_entry("date_time", date_time)?;
                map.serialize_entry("name", name)?;
                map.serialize_entry("kill_on_user_msg", kill_on_user_msg)
            }
            Self::CancelReminder { name, intent, entities } => {
                map.serialize_entry("intent", intent)?;
                map.serialize_entry("entities", entities)?;
                map.serialize_entry("name", name)
            }
            Self::Action { name, policy, confidence } => {
                map.serialize_entry("name", name)?;
                map.serialize_entry("policy", policy)?;
                map.serialize_entry("confidence", confidence)
            }
            Self::ActionExecutionRejected { name, policy, confidence } => {
                map.serialize_entry("name", name)?;
                map.serialize_entry("policy", policy)?;
                map.serialize_entry("confidence", confidence)
            }
            Self::User { text, parse_data, input_channel } => {
                map.serialize_entry("text", text)?;
                map.serialize_entry("parse_data", parse_data)?;
                map.serialize_entry("input_channel", input_channel)
            }
            Self::Bot { text, data } | Self::Agent { text, data } => {
                map.serialize_entry("text", text)?;
                map.serialize_entry("data", data)
            }
            Self::Entities { entities } => map.serialize_entry("entities", entities),
            Self::ResetSlots | Self::Restart | Self::SessionStarted | Self::SessionEnded | Self::Pause => Ok(()),
            Self::Resume | Self::Undo | Self::Rewind | Self::Export => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &Event) -> String {
        serde_json::to_string(event).unwrap()
    }

    #[test]
    fn events_are_written_as_the_reference_writes_them() {
        assert_eq!(
            written(&Event::slot("order_status", "shipped")),
            r#"{"event":"slot","timestamp":null,"name":"order_status","value":"shipped"}"#
        );
        assert_eq!(
            written(&Event::followup("action_followup_second")),
            r#"{"event":"followup","timestamp":null,"name":"action_followup_second"}"#
        );
        assert_eq!(written(&Event::session_started()), r#"{"event":"session_started","timestamp":null}"#);
        assert_eq!(
            written(&Event::action("action_listen")),
            r#"{"event":"action","name":"action_listen","policy":null,"confidence":null,"timestamp":null}"#
        );
    }
}
