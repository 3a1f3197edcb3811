-- trick: escape format
-- expect: masked
-- unlabelled: masked
-- decode: digits

select encode(pan::bytea, 'escape') from cards
