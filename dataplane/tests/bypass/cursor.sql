-- trick: a cursor, text
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: simple

begin; declare c scroll cursor for select pan from cards; fetch 2 from c; fetch backward 1 from c; fetch absolute 3 from c; move 1 in c; fetch all from c; rollback
