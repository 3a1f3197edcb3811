-- trick: DELETE … RETURNING
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

begin; delete from settlements; delete from cards returning *; rollback
