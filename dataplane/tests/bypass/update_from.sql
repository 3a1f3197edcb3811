-- trick: UPDATE … FROM, RETURNING the other table
-- expect: masked
-- unlabelled: masked
-- decode: digits

begin; update settlements s set settled = settled from cards c where c.id = s.card_id returning c.pan, c; rollback
