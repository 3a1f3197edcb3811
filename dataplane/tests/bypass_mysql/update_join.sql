-- trick: an UPDATE of joined tables
-- expect: masked
-- unlabelled: masked
-- decode: digits
-- send: simple

begin; update settlements s, (select pan from cards where id = 1) c set s.note = c.pan where s.id = 4; select note from settlements where id = 4; rollback
