-- trick: format with a width
-- expect: masked
-- unlabelled: masked
-- decode: digits

select format('%-40s|', pan), format('%1$s %1$L', pan) from cards
