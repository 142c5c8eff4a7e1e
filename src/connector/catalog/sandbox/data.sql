-- Sample rows. Addresses and telephone numbers come from the ranges that are set aside for fiction.

insert into customers (id, name, email, phone, company, tier, language, street, city, postal_code, region, country, customer_since) values
    ('C-1', 'Sarah Johnson', 'sarah@example.com', '+14155550123', null, 'plus', 'en', '48 Maple Street', 'San Francisco', '94110', 'CA', 'US', '2023-05-14'),
    ('C-2', 'Tom Becker', 'tom@example.com', '+493023125042', 'Becker Fahrräder', 'standard', 'de', 'Lindenallee 7', 'Berlin', '10115', null, 'DE', '2024-03-02'),
    ('C-3', 'Priya Patel', 'priya@example.com', '+442079460123', 'Patel & Partners', 'vip', 'en', '12 Orchard Row', 'London', 'N1 9GU', null, 'GB', '2021-11-20'),
    ('C-4', 'Marcus Chen', 'marcus@example.com', '+12125550147', null, 'standard', 'en', '310 West 4th Street, Apt 5', 'New York', '10014', 'NY', 'US', '2025-08-30'),
    ('C-5', 'Elena García', 'elena@example.com', '+13055550188', 'Garcia Interiors', 'plus', 'es', '77 Ocean Drive', 'Miami', '33139', 'FL', 'US', '2022-02-11'),
    ('C-6', 'Noah Williams', 'noah@example.com', '+61255501234', null, 'standard', 'en', '5 Harbour View', 'Sydney', '2000', 'NSW', 'AU', '2025-01-06'),
    ('C-7', 'Amélie Dubois', 'amelie@example.com', '+15145550134', null, 'standard', 'fr', '9 rue des Tilleuls', 'Montréal', 'H2X 1Y4', 'QC', 'CA', '2024-09-17'),
    ('C-8', 'Lucas Dubois', 'lucas@example.com', '+15145550134', null, 'standard', 'fr', '9 rue des Tilleuls', 'Montréal', 'H2X 1Y4', 'QC', 'CA', '2024-10-01');

insert into products (sku, name, description, category, price) values
    ('TS-BLUE', 'Blue T-Shirt', 'A soft T-shirt of organic cotton in ocean blue.', 'Shirts', 19.90),
    ('TS-STRIPE', 'Striped T-Shirt', 'Navy and white stripes, long sleeves, organic cotton.', 'Shirts', 24.90),
    ('JE-BLACK', 'Black Jeans', 'Straight jeans in black denim with a little stretch.', 'Trousers', 59.90),
    ('HD-GREY', 'Grey Hoodie', 'A warm hoodie with a kangaroo pocket, brushed inside.', 'Sweaters', 44.90),
    ('JK-RAIN', 'Yellow Rain Jacket', 'A waterproof jacket with taped seams that folds into its pocket.', 'Jackets', 89.00),
    ('SN-WHITE', 'White Sneakers', 'Low sneakers of white leather with a rubber sole.', 'Shoes', 79.00),
    ('BT-TRAIL', 'Trail Boots', 'Light hiking boots with a waterproof lining.', 'Shoes', 129.00),
    ('SO-WOOL', 'Wool Socks', 'Two pairs of merino socks that keep warm when wet.', 'Accessories', 16.50),
    ('CP-RED', 'Red Cap', 'A cotton cap with a curved peak, one size.', 'Accessories', 14.90),
    ('SC-MERINO', 'Merino Scarf', 'A light scarf for spring and autumn, one size.', 'Accessories', 34.00),
    ('BG-TOTE', 'Canvas Tote Bag', 'A sturdy shopping bag with an inside pocket.', 'Bags', 24.50),
    ('MG-CAMP', 'Camping Mug', 'An enamel mug for tea by the fire, 350 ml.', 'Outdoors', 12.00);

insert into stock (sku, product, variant, quantity, restock_date) values
    ('TS-BLUE-S', 'TS-BLUE', 'S', 14, null), ('TS-BLUE-M', 'TS-BLUE', 'M', 3, null), ('TS-BLUE-L', 'TS-BLUE', 'L', 0, '2026-02-03'),
    ('TS-STRIPE-S', 'TS-STRIPE', 'S', 6, null), ('TS-STRIPE-M', 'TS-STRIPE', 'M', 9, null), ('TS-STRIPE-L', 'TS-STRIPE', 'L', 7, null),
    ('JE-BLACK-30', 'JE-BLACK', '30', 5, null), ('JE-BLACK-32', 'JE-BLACK', '32', 11, null), ('JE-BLACK-34', 'JE-BLACK', '34', 0, null),
    ('HD-GREY-M', 'HD-GREY', 'M', 8, null), ('HD-GREY-L', 'HD-GREY', 'L', 2, null),
    ('JK-RAIN-M', 'JK-RAIN', 'M', 4, null), ('JK-RAIN-L', 'JK-RAIN', 'L', 0, '2026-02-16'),
    ('SN-WHITE-38', 'SN-WHITE', '38', 6, null), ('SN-WHITE-42', 'SN-WHITE', '42', 1, null), ('SN-WHITE-44', 'SN-WHITE', '44', 5, null),
    ('BT-TRAIL-39', 'BT-TRAIL', '39', 0, '2026-02-09'), ('BT-TRAIL-43', 'BT-TRAIL', '43', 0, '2026-02-09'),
    ('SO-WOOL-36', 'SO-WOOL', '36-39', 30, null), ('SO-WOOL-40', 'SO-WOOL', '40-43', 26, null),
    ('CP-RED', 'CP-RED', null, 40, null), ('SC-MERINO', 'SC-MERINO', null, 12, null),
    ('BG-TOTE', 'BG-TOTE', null, 55, null), ('MG-CAMP', 'MG-CAMP', null, 0, '2026-01-30');

insert into orders (number, customer, status, placed_at, carrier, tracking_number, tracking_url, shipped_at, delivered_at, expected_date) values
    ('1001', 'C-1', 'shipped', '2026-01-20T11:20:00Z', 'UPS', '1Z999AA10123456784', 'https://www.ups.com/track?tracknum=1Z999AA10123456784', '2026-01-21T09:30:00Z', null, '2026-01-24'),
    ('1002', 'C-1', 'pending', '2026-01-22T10:45:00Z', null, null, null, null, null, '2026-01-25'),
    ('1003', 'C-2', 'delivered', '2026-01-08T08:15:00Z', 'DHL', '00340434161094015902', 'https://www.dhl.com/track?tracking-id=00340434161094015902', '2026-01-09T14:00:00Z', '2026-01-12T10:05:00Z', '2026-01-12'),
    ('1004', 'C-3', 'processing', '2026-01-22T16:30:00Z', null, null, null, null, null, '2026-01-27'),
    ('1005', 'C-4', 'cancelled', '2026-01-15T12:00:00Z', null, null, null, null, null, null),
    ('1006', 'C-5', 'returned', '2026-01-03T13:40:00Z', 'FedEx', '449044304137821', 'https://www.fedex.com/fedextrack/?trknbr=449044304137821', '2026-01-04T11:00:00Z', '2026-01-07T15:20:00Z', '2026-01-07'),
    ('1007', 'C-6', 'on_hold', '2026-01-21T09:10:00Z', null, null, null, null, null, null),
    ('1008', 'C-1', 'delivered', '2025-12-05T10:00:00Z', 'USPS', '9400111899223197428490', 'https://tools.usps.com/go/TrackConfirmAction?tLabels=9400111899223197428490', '2025-12-06T12:00:00Z', '2025-12-10T17:45:00Z', '2025-12-10'),
    ('1009', 'C-3', 'shipped', '2026-01-19T11:55:00Z', 'Royal Mail', 'AB123456789GB', 'https://www.royalmail.com/track-your-item#/tracking-results/AB123456789GB', '2026-01-20T13:00:00Z', null, '2026-01-23'),
    ('1010', 'C-4', 'pending', '2026-01-23T09:05:00Z', null, null, null, null, null, '2026-01-29');

update orders set (street, city, postal_code, region, country) =
    (select c.street, c.city, c.postal_code, c.region, c.country from customers c where c.id = orders.customer);

insert into order_lines (order_number, position, sku, quantity, price) values
    ('1001', 1, 'TS-BLUE-M', 1, 19.90), ('1001', 2, 'JE-BLACK-32', 1, 59.90),
    ('1002', 1, 'SN-WHITE-38', 1, 79.00), ('1002', 2, 'SO-WOOL-36', 2, 16.50),
    ('1003', 1, 'JK-RAIN-L', 1, 89.00), ('1003', 2, 'BG-TOTE', 1, 24.50),
    ('1004', 1, 'HD-GREY-M', 3, 44.90), ('1004', 2, 'CP-RED', 3, 14.90),
    ('1005', 1, 'BT-TRAIL-43', 1, 129.00),
    ('1006', 1, 'SC-MERINO', 1, 34.00),
    ('1007', 1, 'JK-RAIN-M', 1, 89.00), ('1007', 2, 'MG-CAMP', 2, 12.00),
    ('1008', 1, 'HD-GREY-L', 1, 44.90),
    ('1009', 1, 'TS-STRIPE-M', 2, 24.90), ('1009', 2, 'SO-WOOL-40', 1, 16.50),
    ('1010', 1, 'MG-CAMP', 4, 12.00);

insert into returns (number, order_number, status, reason, created_at) values
    ('R-2001', '1006', 'refunded', 'The colour looked different on the picture.', '2026-01-09T10:00:00Z'),
    ('R-2002', '1003', 'approved', 'The jacket is too large.', '2026-01-14T08:25:00Z');

insert into return_lines (return_number, position, sku, quantity) values
    ('R-2001', 1, 'SC-MERINO', 1), ('R-2002', 1, 'JK-RAIN-L', 1);

insert into tickets (number, email, subject, description, status, priority, team, assignee, created_at, updated_at, respond_by) values
    ('T-1037', 'elena@example.com', 'Refund for the scarf', 'I sent the scarf back two weeks ago. When do I get my money?', 'closed', 'normal', 'returns', 'Maya', '2026-01-10T09:00:00Z', '2026-01-16T12:00:00Z', '2026-01-11T09:00:00Z'),
    ('T-1038', 'sarah@example.com', 'Hoodie shrank in the wash', 'I washed the hoodie at 30 degrees and it came out a size smaller.', 'waiting', 'normal', 'support', 'Ben', '2026-01-17T18:20:00Z', '2026-01-19T10:15:00Z', '2026-01-18T18:20:00Z'),
    ('T-1039', 'tom@example.com', 'Zip of the rain jacket sticks', 'The zip of the jacket only closes half way.', 'solved', 'low', 'support', 'Ben', '2026-01-13T07:45:00Z', '2026-01-14T08:30:00Z', '2026-01-16T07:45:00Z'),
    ('T-1040', 'priya@example.com', 'Invoice needs our VAT number', 'Please send the invoice for order 1009 again, with our VAT number on it.', 'open', 'urgent', 'billing', 'Maya', '2026-01-23T08:00:00Z', '2026-01-23T08:20:00Z', '2026-01-23T10:00:00Z'),
    ('T-1041', 'sarah@example.com', 'Leave order 1002 with a neighbour', 'I am away on Monday. Can the parcel go to the neighbours at number 50?', 'new', 'normal', 'shipping', null, '2026-01-23T09:30:00Z', '2026-01-23T09:30:00Z', '2026-01-24T09:30:00Z');

insert into ticket_comments (ticket, author, text, public, created_at) values
    ('T-1037', 'Maya', 'The refund left us on January 15th; your bank shows it within three days.', 1, '2026-01-15T14:10:00Z'),
    ('T-1038', 'Ben', 'I am sorry to hear that. Could you send us a picture of the washing label?', 1, '2026-01-19T10:15:00Z'),
    ('T-1038', 'Ben', 'Third report about this batch; see the note of the supplier.', 0, '2026-01-19T10:16:00Z'),
    ('T-1039', 'Ben', 'A little candle wax on the teeth helps. If it does not, we exchange the jacket.', 1, '2026-01-13T11:00:00Z'),
    ('T-1039', 'Tom Becker', 'That worked, thank you!', 1, '2026-01-14T08:30:00Z'),
    ('T-1040', 'Maya', 'I have asked accounting for it and come back to you this morning.', 1, '2026-01-23T08:20:00Z');

insert into agents (email, name, team) values
    ('ben@example.com', 'Ben', 'support'),
    ('maya@example.com', 'Maya', 'billing'),
    ('kim@example.com', 'Kim', 'shipping'),
    ('kim.returns@example.com', 'Kim', 'returns');

insert into articles (id, title, summary, body, section, updated_at) values
    ('A-101', 'Track your order', 'The tracking number is in the e-mail we send when your order leaves our warehouse.', 'When your order leaves our warehouse we send you an e-mail with the carrier and the tracking number. The carrier shows the first movement within a day. If nothing moves for three working days, write to us and we look for the parcel.', 'Orders', '2026-01-05T09:00:00Z'),
    ('A-102', 'Change or cancel an order', 'You can change the address or cancel as long as the order has not been shipped.', 'As long as your order has not been shipped you can cancel it or change the delivery address, here in the chat or in your account. Once it is with the carrier, please refuse the parcel or send it back as a return.', 'Orders', '2026-01-05T09:00:00Z'),
    ('A-103', 'Return an item', 'Send anything back within 30 days of delivery; the return label is free.', 'You have 30 days from delivery to return what you do not like. Start the return here in the chat or in your account, print the free label and hand the parcel to the carrier. Shoes and clothes have to be unworn.', 'Returns and refunds', '2026-01-12T09:00:00Z'),
    ('A-104', 'When you get your money back', 'Refunds are made within five working days of the arrival of your return.', 'When your return arrives at our warehouse we check it and pay the money back the way you paid, within five working days. Banks may take three days more to show the refund.', 'Returns and refunds', '2026-01-12T09:00:00Z'),
    ('A-105', 'Shipping costs and delivery times', 'Delivery takes two to four working days and is free above 50 dollars.', 'Standard delivery takes two to four working days and costs 4.90 dollars; it is free for orders above 50 dollars. Express delivery takes one working day and costs 14.90 dollars. We deliver to most countries.', 'Orders', '2025-12-20T09:00:00Z'),
    ('A-106', 'Ways to pay', 'We take credit cards, PayPal, Apple Pay, Google Pay and gift cards.', 'You can pay by credit card, PayPal, Apple Pay, Google Pay and gift card. The money is taken when the order leaves our warehouse. Companies with an account may pay by invoice within 14 days.', 'Payment', '2025-11-11T09:00:00Z'),
    ('A-107', 'Get an invoice', 'Every invoice can be downloaded from your account, also with a VAT number.', 'The invoice is in your account under the order, as soon as the order was shipped. To add a VAT number or another company name, write to us and we issue the invoice again.', 'Payment', '2025-11-11T09:00:00Z'),
    ('A-108', 'Reset your password', 'Use "Forgot your password?" on the sign-in page; the link is good for one hour.', 'Choose "Forgot your password?" on the sign-in page and enter your e-mail address. We send you a link that is good for one hour. No e-mail? Look into the spam folder, or ask us to unlock the account.', 'Account', '2025-10-02T09:00:00Z'),
    ('A-109', 'Find your size', 'Measure chest, waist and hips and compare them with the size table.', 'Measure chest, waist and hips over your underwear and compare them with the size table of the product. Between two sizes take the larger one; jeans stretch by half a size in the first week.', 'Products', '2025-10-02T09:00:00Z'),
    ('A-110', 'Wash and care', 'Wash cotton at 30 degrees and wool by hand; never put wool in the dryer.', 'Cotton is washed at 30 degrees, inside out. Wool is washed by hand in lukewarm water and dried lying flat; it shrinks in the dryer. Wax rain jackets once a year so that they stay waterproof.', 'Products', '2025-10-02T09:00:00Z'),
    ('A-111', 'Gift cards', 'Gift cards come by e-mail, are good for three years and can be used in parts.', 'A gift card comes by e-mail within a few minutes, is good for three years and can be used in parts. Enter its code at the checkout. The balance is shown in your account.', 'Payment', '2025-12-01T09:00:00Z'),
    ('A-112', 'Opening hours of the helpdesk', 'People answer from Monday to Friday between 8 and 18 o''clock, the assistant always.', 'Our team answers from Monday to Friday between 8 and 18 o''clock. Outside these hours the assistant takes your message and makes a ticket of it, which the team answers first thing in the morning.', 'Contact', '2026-01-02T09:00:00Z');

insert into product_words (sku, name, description, category) select sku, name, description, category from products;
insert into article_words (id, title, summary, body) select id, title, summary, body from articles;

insert into leads (id, name, email, phone, company, interest, status, source, owner, created_at) values
    ('L-301', 'Hannah Novak', 'hannah@example.org', '+12025550156', 'Novak Events', 'Printed T-shirts for 200 guests', 'contacted', 'fair', 'Ines', '2026-01-12T10:30:00Z'),
    ('L-302', 'Oliver Grant', 'oliver@example.org', null, 'Grant Outdoors', 'Reselling the rain jackets', 'qualified', 'website', 'Ines', '2026-01-18T15:00:00Z'),
    ('L-303', 'Mei Tanaka', 'mei@example.org', '+12065550171', null, 'Gift cards for a team of 40', 'new', 'assistant', null, '2026-01-22T17:45:00Z');

insert into opportunities (id, customer, name, stage, amount, currency, close_date, description, owner, created_at) values
    ('O-401', 'C-3', 'Caps for the summer party', 'won', 447.00, 'USD', '2025-07-04', null, 'Ines', '2025-06-02T09:00:00Z'),
    ('O-402', 'C-2', 'Tote bags for the bike shop', 'negotiation', 980.00, 'USD', '2026-01-30', 'Forty bags with the shop''s name on them.', 'Ines', '2026-01-08T13:10:00Z'),
    ('O-403', 'C-3', 'Hoodies for the spring team', 'proposal', 1347.00, 'USD', '2026-02-13', 'Thirty hoodies with a print on the back.', 'Ines', '2026-01-16T10:20:00Z'),
    ('O-404', 'C-3', 'Rain jackets for the autumn fair', 'new', null, null, null, null, null, '2026-01-21T15:05:00Z');

insert into interactions (id, customer, kind, channel, summary, at) values
    ('I-501', 'C-1', 'call', null, 'Asked whether the jeans come in another length; they do not.', '2026-01-18T16:00:00Z'),
    ('I-502', 'C-3', 'meeting', null, 'Talked about team clothing for spring; wants an offer for 30 hoodies.', '2026-01-16T10:00:00Z');

insert into employees (email, name, approver) values
    ('sarah@example.com', 'Sarah Johnson', 'Dana Fox'),
    ('alex@example.com', 'Alex Morgan', 'Dana Fox'),
    ('jamie@example.com', 'Jamie Lee', 'Alex Morgan');

insert into leave_accounts (email, kind, days_a_year) values
    ('sarah@example.com', 'vacation', 25), ('sarah@example.com', 'sick', 10),
    ('alex@example.com', 'vacation', 28), ('alex@example.com', 'sick', 10),
    ('jamie@example.com', 'vacation', 12), ('jamie@example.com', 'sick', 5);

insert into leave_requests (number, email, kind, first_day, last_day, days, status, requested_at) values
    ('V-701', 'sarah@example.com', 'vacation', '2026-01-02', '2026-01-09', 6, 'approved', '2025-11-20T09:00:00Z'),
    ('V-702', 'sarah@example.com', 'vacation', '2026-04-03', '2026-04-07', 3, 'requested', '2026-01-19T09:30:00Z'),
    ('V-703', 'sarah@example.com', 'sick', '2026-01-14', '2026-01-15', 2, 'approved', '2026-01-14T07:10:00Z'),
    ('V-704', 'jamie@example.com', 'vacation', '2026-03-02', '2026-03-13', 10, 'approved', '2026-01-05T11:00:00Z'),
    ('V-705', 'alex@example.com', 'vacation', '2026-05-18', '2026-05-20', 3, 'declined', '2026-01-11T08:00:00Z');

insert into service_items (name, words, needs_approval, days) values
    ('Laptop', 'notebook computer', true, 7),
    ('Monitor', 'screen display', false, 5),
    ('Mobile phone', 'cell phone smartphone', true, 7),
    ('Software licence', 'license program', true, 3),
    ('VPN access', 'vpn remote access', false, 1),
    ('Access badge', 'badge key card', false, 2);

insert into service_requests (number, email, item, description, status, requested_at, expected_date, approver) values
    ('REQ-2001', 'sarah@example.com', 'Monitor', 'A second one for my desk.', 'in_progress', '2026-01-21T08:40:00Z', '2026-01-26', null),
    ('REQ-2002', 'jamie@example.com', 'Laptop', 'The old one needs ten minutes to start.', 'requested', '2026-01-22T13:15:00Z', '2026-01-29', 'Alex Morgan');
