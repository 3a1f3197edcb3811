-- trick: glued to letters and underscores
-- expect: masked
-- unlabelled: masked
-- decode: digits

select 'pan_' || pan || '_end', 'x' || pan from cards
