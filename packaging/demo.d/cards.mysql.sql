-- Made-up card data: test numbers that card schemes publish, no account of anyone's.
CREATE TABLE cards (
  id int AUTO_INCREMENT PRIMARY KEY, holder varchar(100) NOT NULL, pan varchar(32) NOT NULL UNIQUE, pan_number bigint NOT NULL,
  cvv varchar(4) NOT NULL, expiry varchar(7) NOT NULL
);
INSERT INTO cards (holder, pan, pan_number, cvv, expiry) VALUES
  ('Ada Example', '4111111111111111', 4111111111111111, '123', '2029-01'),
  ('Ben Example', '5555555555554444', 5555555555554444, '456', '2028-07'),
  ('Cyd Example', '378282246310005', 378282246310005, '7890', '2027-11'),
  ('Dee Example', '6011111111111117', 6011111111111117, '012', '2030-03'),
  ('Eli Example', '2223003122003222', 2223003122003222, '345', '2029-09');
CREATE TABLE settlements (
  id int AUTO_INCREMENT PRIMARY KEY, card_id int REFERENCES cards (id), amount decimal(12, 2) NOT NULL, note text,
  settled boolean NOT NULL DEFAULT false
);
INSERT INTO settlements (card_id, amount, note) VALUES
  (1, 12.50, 'order 1001'), (2, 99.00, 'phoned in: 4111 1111 1111 1111'), (3, 7.25, 'order 1003'), (4, 310.00, NULL);
