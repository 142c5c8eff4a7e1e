//! The models themselves: the one place that says what an order, a ticket or a leave request consists of.
//!
//! A field is here when an assistant would say it to a user or decide by it. What one vendor alone has is not a field; it
//! is mapped to one of these or left out.

use super::declare::models;

models! {
    /// A postal address.
    Address {
        /// Street and house number, further lines separated by commas.
        street: Text sensitive,
        /// The town.
        city: Text sensitive,
        /// The postal code.
        postal_code: Text sensitive,
        /// State or region, where addresses have one.
        region: Text,
        /// The country as a two-letter code, such as `US`.
        country: Text,
    }

    /// An article of the help centre.
    Article {
        /// The system's own id.
        id: Text required,
        /// The headline.
        title: Text required,
        /// What it says, in a sentence or two.
        summary: Text,
        /// The whole text, without markup.
        body: Text,
        /// Where people read it.
        url: Text,
        /// The part of the help centre it stands in.
        section: Text,
        /// When it was last changed.
        updated_at: DateTime,
    }

    /// Whom an order, a ticket or an interaction belongs to, as far as its own system says.
    Contact {
        /// The system's own id.
        id: Text,
        /// The name to address them by.
        name: Text sensitive,
        /// The e-mail address, in lower case.
        email: Text sensitive,
        /// The telephone number, such as `+14155550123`.
        phone: Text sensitive,
    }

    /// A customer's profile.
    Customer {
        /// The system's own id.
        id: Text required,
        /// The whole name.
        name: Text sensitive,
        /// The given name, to address them by.
        first_name: Text sensitive,
        /// The family name.
        last_name: Text sensitive,
        /// The e-mail address, in lower case.
        email: Text sensitive,
        /// The telephone number, such as `+14155550123`.
        phone: Text sensitive,
        /// The company they work for.
        company: Text,
        /// Their standing with this company.
        tier: Code(CustomerTier),
        /// The language they want to be spoken to in, such as `en`.
        language: Text,
        /// Where they live.
        address: One(Address) sensitive,
        /// Since when they are a customer.
        customer_since: Date,
    }

    /// Somebody who works for the company.
    Employee {
        /// The system's own id.
        id: Text required,
        /// The whole name.
        name: Text required sensitive,
        /// The given name, to address them by.
        first_name: Text sensitive,
        /// The family name.
        last_name: Text sensitive,
        /// The e-mail address at work, in lower case.
        email: Text sensitive,
        /// The telephone number at work, such as `+14155550123`.
        phone: Text sensitive,
        /// What they do, such as `Accountant`.
        title: Text,
        /// The part of the company they work in.
        department: Text,
        /// Where they work.
        location: Text,
        /// Whom they report to.
        manager: One(Contact),
        /// Whether they can be reached.
        status: Code(EmployeeStatus),
        /// Since when they work here.
        employed_since: Date,
    }

    /// A conversation, call or note that stands in a customer's history.
    Interaction {
        /// The system's own id.
        id: Text required,
        /// How it took place.
        kind: Code(InteractionKind) required,
        /// The channel of a chat, such as `slack`.
        channel: Text,
        /// What was said, in a sentence or two.
        summary: Text required sensitive,
        /// When it took place.
        at: DateTime required,
        /// With whom.
        customer: One(Contact),
    }

    /// Somebody who may become a customer.
    Lead {
        /// The system's own id.
        id: Text required,
        /// The whole name.
        name: Text sensitive,
        /// The e-mail address, in lower case.
        email: Text sensitive,
        /// The telephone number, such as `+14155550123`.
        phone: Text sensitive,
        /// The company they work for.
        company: Text,
        /// What they are interested in.
        interest: Text,
        /// How far it has come.
        status: Code(LeadStatus) required,
        /// Where the lead came from, such as `assistant`.
        source: Text,
        /// Who looks after it.
        owner: Text,
        /// When it was made.
        created_at: DateTime,
    }

    /// How many days of one kind of leave an employee has this year.
    LeaveBalance {
        /// What the days are for.
        kind: Code(LeaveKind) required,
        /// The year they belong to.
        year: Number,
        /// Days granted for the year, with what was carried over.
        entitled: Number,
        /// Days already approved or taken.
        taken: Number,
        /// Days asked for and not yet decided.
        requested: Number,
        /// Days that may still be asked for.
        left: Number required,
    }

    /// An employee's request for leave.
    LeaveRequest {
        /// The number to quote.
        number: Text required,
        /// What the leave is for.
        kind: Code(LeaveKind) required,
        /// The first day away.
        from: Date required,
        /// The last day away.
        to: Date required,
        /// How many working days that is.
        days: Number,
        /// How far it has come.
        status: Code(LeaveStatus) required,
        /// Who decides.
        approver: Text,
        /// When it was asked for.
        requested_at: DateTime,
    }

    /// A message that was sent to somebody: in a chat, as an e-mail or to a phone.
    Message {
        /// The system's own id.
        id: Text required,
        /// What it travels through, such as `slack`, `email` or `sms`.
        channel: Text,
        /// Who sent it.
        from: One(Contact),
        /// Where it went: an address, a number or the name of a room.
        to: Text sensitive,
        /// The subject, where messages have one.
        subject: Text sensitive,
        /// What it says, without markup.
        text: Text required sensitive,
        /// How far it has come.
        status: Code(MessageStatus),
        /// When it was sent.
        sent_at: DateTime,
        /// What an answer has to name, so that it stands below this message.
        thread: Text,
        /// Where people read it.
        url: Text,
    }

    /// An amount of money.
    Money {
        /// The amount in the currency's main unit, such as 12.5.
        amount: Number required,
        /// The currency as its three-letter code, such as `EUR`.
        currency: Text required,
    }

    /// A sale that may come about: what some vendors call a deal.
    Opportunity {
        /// The system's own id.
        id: Text required,
        /// What it is called, such as `Hoodies for the spring team`.
        name: Text required,
        /// How far it has come.
        stage: Code(OpportunityStage) required,
        /// What it would bring.
        amount: Money,
        /// How likely it comes about, in per cent.
        probability: Number,
        /// The day by which it should be decided.
        close_date: Date,
        /// Who would buy.
        customer: One(Contact),
        /// The company they would buy for.
        company: Text,
        /// What else there is to know.
        description: Text,
        /// Who looks after it.
        owner: Text,
        /// When it was made.
        created_at: DateTime,
        /// Where colleagues see it.
        url: Text,
    }

    /// A customer's order.
    Order {
        /// The number to quote, as the shop writes it, such as `1001`.
        number: Text required,
        /// Where it is on its way.
        status: Code(OrderStatus) required,
        /// When it was placed.
        placed_at: DateTime required,
        /// Whose it is.
        customer: One(Contact),
        /// What was ordered.
        lines: Many(OrderLine),
        /// What it costs in all.
        total: Money,
        /// How it travels, once it has left.
        shipment: One(Shipment),
        /// The day it is expected, at the customer or, before shipping, on its way.
        expected_date: Date,
        /// Where it goes.
        address: One(Address) sensitive,
        /// Where the customer sees it.
        url: Text,
    }

    /// One line of an order.
    OrderLine {
        /// The article number.
        sku: Text,
        /// What it is called.
        name: Text required,
        /// Size, colour and the like.
        variant: Text,
        /// How many.
        quantity: Number required,
        /// What one costs.
        price: Money,
    }

    /// What a customer paid or has to pay. It never has the number of a card or an account.
    Payment {
        /// The number to quote, or the system's own id.
        number: Text required,
        /// How far it has come.
        status: Code(PaymentStatus) required,
        /// How much it is.
        amount: Money required,
        /// How much of it went back.
        refunded: Money,
        /// The order or invoice that it pays for.
        order_number: Text,
        /// What is paid with, in words, such as `Visa` or `PayPal`.
        method: Text,
        /// Whose it is.
        customer: One(Contact),
        /// When it was begun.
        created_at: DateTime,
        /// When the money came.
        paid_at: DateTime,
        /// The day by which it has to be paid.
        due_date: Date,
        /// Why it failed, in words for the customer.
        problem: Text,
        /// Where the customer pays, or sees the receipt.
        url: Text,
    }

    /// Something the shop sells.
    Product {
        /// The article number.
        sku: Text required,
        /// What it is called.
        name: Text required,
        /// What it is, in a sentence or two.
        description: Text,
        /// The part of the shop it stands in.
        category: Text,
        /// What one costs.
        price: Money,
        /// Whether any of it can be had now.
        available: Bool,
        /// Where people buy it.
        url: Text,
        /// A picture.
        image: Text,
    }

    /// Goods on their way back.
    Return {
        /// The number to quote.
        number: Text required,
        /// How far it has come.
        status: Code(ReturnStatus) required,
        /// The order the goods came with.
        order_number: Text,
        /// Why they go back.
        reason: Text,
        /// What goes back.
        lines: Many(ReturnLine),
        /// What will be paid back.
        refund: Money,
        /// Where the customer prints the label.
        label_url: Text,
        /// When it was asked for.
        created_at: DateTime,
    }

    /// One line of a return.
    ReturnLine {
        /// The article number.
        sku: Text,
        /// What it is called.
        name: Text required,
        /// Size, colour and the like.
        variant: Text,
        /// How many.
        quantity: Number required,
    }

    /// What an employee asked IT or another service desk for: a laptop, access, a new badge.
    ServiceRequest {
        /// The number to quote, such as `REQ-2001`.
        number: Text required,
        /// What is asked for, as the service desk's catalogue calls it.
        item: Text required,
        /// What they said about what they need.
        description: Text sensitive,
        /// How far it has come.
        status: Code(ServiceRequestStatus) required,
        /// Whom it is for.
        requested_for: One(Contact),
        /// When it was asked for.
        requested_at: DateTime,
        /// The day it should be there.
        expected_date: Date,
        /// Who decides, where somebody has to.
        approver: Text,
        /// Where they see it.
        url: Text,
    }

    /// How an order travels.
    Shipment {
        /// Who carries it, such as `UPS`.
        carrier: Text,
        /// The carrier's number.
        tracking_number: Text,
        /// Where the customer follows it.
        tracking_url: Text,
        /// When it left.
        shipped_at: DateTime,
        /// When it arrived.
        delivered_at: DateTime,
    }

    /// How many of one article can be had.
    Stock {
        /// The article number, of the size where there are sizes.
        sku: Text required,
        /// What it is called.
        name: Text,
        /// Size, colour and the like.
        variant: Text,
        /// How many can be had now; null when the shop does not tell.
        quantity: Number,
        /// Whether any can be had now.
        available: Bool required,
        /// The day more of it arrives.
        restock_date: Date,
    }

    /// A case at the helpdesk.
    Ticket {
        /// The number to quote, such as `T-1042`.
        number: Text required,
        /// What it is about.
        subject: Text required,
        /// What happened, in the customer's words.
        description: Text sensitive,
        /// How far it has come.
        status: Code(TicketStatus) required,
        /// How much it presses.
        priority: Code(TicketPriority),
        /// The team that has it, such as `billing`.
        group: Text,
        /// Who works on it.
        assignee: Text,
        /// Who asked.
        requester: One(Contact),
        /// When it was made.
        created_at: DateTime,
        /// When it was last changed.
        updated_at: DateTime,
        /// By when the company promised its next answer.
        respond_by: DateTime,
        /// Where the customer sees it.
        url: Text,
        /// What was said since, oldest first.
        comments: Many(TicketComment),
    }

    /// Something said on a ticket.
    TicketComment {
        /// Who said it.
        author: Text,
        /// What was said, without markup.
        text: Text required sensitive,
        /// Whether the customer sees it.
        public: Bool,
        /// When it was said.
        created_at: DateTime,
    }
}
