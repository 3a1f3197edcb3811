-- trick: backwards into a column without label, then read
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: reversed
-- send: simple

begin; insert into settlements (card_id, amount, note) select id, 78, reverse(pan) from cards where id = 1; select note from settlements where amount = 78; rollback
