-- trick: the number below zero
-- expect: masked
-- unlabelled: masked
-- decode: negated

select -pan_number from cards
