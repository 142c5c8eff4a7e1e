//! The business models: what an order, a ticket or a customer looks like here, whichever vendor's system answers.
//!
//! Every model is declared once, in `business.rs`, and exists twice: as a Rust type with public fields, and as a [`Model`]
//! that says the same as data, for `check`, the documentation and masking. [`Model::conform`] stands between a system's answer
//! and everything above it: what it lets through has every field the model names (the absent ones as null, absent lists
//! as `[]`) in the type the model gives it. It fetches nothing and guesses nothing.

mod business;
mod codes;
mod conform;
mod declare;

pub use business::{
    Address, Article, Contact, Customer, Employee, Interaction, Lead, LeaveBalance, LeaveRequest, Message, Money,
    Opportunity, Order, OrderLine, Payment, Product, Return, ReturnLine, ServiceRequest, Shipment, Stock, Ticket,
    TicketComment,
};
pub use codes::{
    Code, Codes, CustomerTier, EmployeeStatus, InteractionKind, LeadStatus, LeaveKind, LeaveStatus, MessageStatus,
    OpportunityStage, OrderStatus, PaymentStatus, ReturnStatus, ServiceRequestStatus, TicketPriority, TicketStatus, labels,
};
pub use conform::Misfit;
pub use declare::{Field, Kind, Model};
