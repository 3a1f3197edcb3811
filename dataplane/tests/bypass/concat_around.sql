-- trick: in the midst of text
-- expect: masked
-- unlabelled: masked
-- decode: digits

select concat('card:', pan, ';'), format('%s=%s', holder, pan), holder || pan from cards
