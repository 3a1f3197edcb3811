-- trick: LATERAL
-- expect: masked
-- unlabelled: masked
-- decode: digits

select x.* from settlements s, lateral (select pan, s.note from cards c where c.id = s.card_id) x
