(* Do two layers predict the flip-flop language, at every length?

   Sarrof, Veitsman, Hahn 2024, Theorem 1. [predictor] is the model that this project builds, weight by weight; tests
   compare. Layer 1 holds the last instruction in two bits, layer 2 the bit that was written last: gate 0 after w, gate
   1 otherwise. The states are few, so that the proof is a search through all of them, by the checker that
   FiniteRelation.v proves right. *)
Require Import ZArith List.
From Verify Require Import SSM Languages FiniteRelation.
Import ListNotations.
Open Scope Z_scope.

(* Symbols w r i 0 1.  Features: one for each symbol and BOS, then "w or i" and "0 or 1". *)
Definition predictor : model := Model 0 0
  [[1; 0; 0; 0; 0; 0; 1; 0];
   [0; 1; 0; 0; 0; 0; 0; 0];
   [0; 0; 1; 0; 0; 0; 1; 0];
   [0; 0; 0; 1; 0; 0; 0; 1];
   [0; 0; 0; 0; 1; 0; 0; 1];
   [0; 0; 0; 0; 0; 1; 0; 0]]
  [Layer (Affine 0 [(1, [(0%nat, -1); (1%nat, -1); (2%nat, -1)]); (1, [(0%nat, -1); (1%nat, -1); (2%nat, -1)])])
         (Affine 0 [(0, [(1%nat, 1)]); (0, [(2%nat, 1)])]) 0 [0; 0]
     [(Affine 0 [(0, [(0%nat, -1); (1%nat, -1); (5%nat, 1)]);  (* the symbol 0, and the instruction is w *)
                 (0, [(0%nat, -1); (1%nat, -1); (6%nat, 1)])], Relu);  (* the symbol 1, and the instruction is w *)
      (Affine 0 [(0, [(0%nat, 1)]); (0, [(1%nat, 1)]); (0, [(3%nat, 1)]);
                 (0, [(7%nat, 1)]); (0, [(8%nat, 1)]); (0, [(9%nat, 1)])], Relu)];
   Layer (Affine 0 [(1, [(0%nat, -1); (1%nat, -1)])]) (Affine 0 [(0, [(1%nat, 1)])]) 0 [0]
     (* after r: the bit is 0; it is 1 *)
     [(Affine 0 [(0, [(0%nat, -1); (3%nat, 1)]); (-1, [(0%nat, 1); (3%nat, 1)])], Relu);
      (Affine 0 [(0, [(5%nat, 1)]); (0, [(6%nat, 1)]); (0, [(0%nat, 1)]); (0, [(1%nat, 1)]); (0, [(7%nat, 1)])], Relu)]]
  (Affine 0 [(0, [(0%nat, 1); (4%nat, 1)]); (0, [(4%nat, 1)]); (0, [(4%nat, 1)]);
             (0, [(1%nat, 1); (2%nat, 1)]); (0, [(1%nat, 1); (3%nat, 1)]); (0, [(0%nat, 1); (4%nat, 1)])]).

Theorem predictor_computes_flip_flop : computes predictor flip_flop 5.
Proof. apply check_computes with (L := flip_lookup) (fuel := 100%nat). vm_compute. reflexivity. Qed.
Print Assumptions predictor_computes_flip_flop.
