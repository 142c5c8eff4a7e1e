//! The events of the protocol.
