-- Made-up card data: test numbers that card schemes publish, no account of anyone's.
CREATE TABLE public.cards (
  id serial PRIMARY KEY, holder text NOT NULL, pan text NOT NULL UNIQUE, pan_number bigint NOT NULL, expiry text NOT NULL
);
INSERT INTO public.cards (holder, pan, pan_number, expiry) VALUES
  ('Ada Example', '4111111111111111', 4111111111111111, '2029-01'),
  ('Ben Example', '5555555555554444', 5555555555554444, '2028-07'),
  ('Cyd Example', '378282246310005', 378282246310005, '2027-11'),
  ('Dee Example', '6011111111111117', 6011111111111117, '2030-03'),
  ('Eli Example', '2223003122003222', 2223003122003222, '2029-09');
CREATE TABLE public.settlements (
  id serial PRIMARY KEY, card_id int REFERENCES public.cards, amount numeric(12, 2) NOT NULL, note text, settled boolean NOT NULL DEFAULT false
);
INSERT INTO public.settlements (card_id, amount, note) VALUES
  (1, 12.50, 'order 1001'), (2, 99.00, 'phoned in: 4111 1111 1111 1111'), (3, 7.25, 'order 1003'), (4, 310.00, NULL);
