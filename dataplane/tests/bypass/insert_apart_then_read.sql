-- trick: halves into a column without label, then read
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: joined
-- send: simple

begin; insert into settlements (card_id, amount, note) select id, 1, substr(pan, 1, 8) from cards where id = 1; insert into settlements (card_id, amount, note) select id, 1, substr(pan, 9) from cards where id = 1; select note from settlements where amount = 1 order by id; rollback
