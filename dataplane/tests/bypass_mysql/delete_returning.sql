-- trick: what a DELETE returns
-- expect: held
-- unlabelled: held
-- decode: digits
-- send: simple

begin; delete from cards where id = 5 returning pan; rollback
