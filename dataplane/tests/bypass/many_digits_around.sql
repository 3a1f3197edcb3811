-- trick: amid other digits, by dashes
-- expect: masked
-- unlabelled: masked
-- decode: digits

select '12-' || pan || '-34', '(' || pan || ')', pan || '.00', '#' || pan from cards
